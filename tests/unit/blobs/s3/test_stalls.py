"""A bucket that keeps some requests waiting: they hold up neither other uploads nor other chunks."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from facecli.core.errors import TakenOver
from facecli.uploads.upload import Upload
from tests.support.blobs.s3_servers import S3Server
from tests.support.blobs.staged import KEY, LAYOUT, put_all
from tests.support.eventually import DEADLINE, eventually, never
from tests.support.storage import CHUNK, Content, send, written
from tests.unit.uploads.test_s3 import Servers

FILE = Content(size=20 * CHUNK)
OTHER = Content(size=20 * CHUNK, seed=1)

Stalled = Callable[[str, int], bool]  # by key and number


class StallingServers(Servers):
    """Servers on a bucket that keeps chosen parts waiting until it is `released`."""

    def __init__(self, directory: Path, server: S3Server) -> None:
        super().__init__(directory, server)
        self.released = threading.Event()
        self.stalled = list[int]()  # numbers of parts
        self._is_stalled: Stalled = lambda key, number: False
        self._usual = self.blobs.bucket.upload_part
        self.blobs.bucket.upload_part = self._upload_part

    def stall(self, is_stalled: Stalled) -> None:
        self._is_stalled = is_stalled

    def _upload_part(self, key: str, upload: str, number: int, *rest: Any) -> str:
        if self._is_stalled(key, number) and not self.released.is_set():
            self.stalled.append(number)
            self.released.wait(DEADLINE)
        return str(self._usual(key, upload, number, *rest))


@pytest.fixture
def servers(tmp_path: Path, rclone: S3Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[StallingServers]:
    rclone.configure(monkeypatch)
    running = StallingServers(tmp_path, rclone)
    yield running
    running.released.set()
    running.storage.close()


@pytest.fixture
def pool(servers: StallingServers) -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as pool:
        yield pool
        servers.released.set()


def stalled_writer(servers: StallingServers, pool: ThreadPoolExecutor, service: Any, upload: Upload) -> Any:
    """A writer whose parts all stall, and the future of a thread that writes until it has to wait."""
    servers.stall(lambda key, number: key == upload.blob_key)
    opened = Future[Any]()

    def write() -> None:
        with service.writer(upload.id, owner="ann") as writer:
            opened.set_result(writer)
            for index in range(upload.total_chunks):
                written(writer, FILE.frames(index))

    writing = pool.submit(write)
    writer = opened.result(DEADLINE)
    count = 0

    def waits() -> bool:
        nonlocal count
        before, count = count, len(servers.stalled)
        return count > 0 and count == before

    eventually(waits, every=0.3)
    assert not writing.done()
    return writer, writing


def test_an_upload_that_a_bucket_keeps_waiting_does_not_keep_others(
    servers: StallingServers, pool: ThreadPoolExecutor
) -> None:
    service = servers.service()
    upload, _ = service.begin(FILE.new, fresh=True)
    _, writing = stalled_writer(servers, pool, service, upload)
    other, _ = service.begin(OTHER.new, fresh=True)

    def upload_other() -> Upload:
        with service.writer(other.id, owner="ann") as writer:
            return send(service, writer, OTHER, range(other.total_chunks))

    finished = pool.submit(upload_other).result(DEADLINE / 2)
    assert servers.content(finished) == OTHER.data
    assert not writing.done()


def test_a_writer_that_waits_for_the_bucket_can_be_taken_over_at_once(
    servers: StallingServers, pool: ThreadPoolExecutor
) -> None:
    service = servers.service()
    upload, _ = service.begin(FILE.new, fresh=True)
    old, writing = stalled_writer(servers, pool, service, upload)
    sending = old.sending(0)

    def take_over() -> None:
        with service.writer(upload.id, owner="ann"):
            with pytest.raises(TakenOver):
                writing.result(DEADLINE / 2)
            assert sending.done(), "nobody waits for a part of a writer that was taken over"

    pool.submit(take_over).result(DEADLINE / 2)
    assert service.chunks(upload.id) == []


def test_a_chunk_that_the_bucket_keeps_waiting_does_not_hold_up_single_ones_beside_it(
    servers: StallingServers, pool: ThreadPoolExecutor
) -> None:
    service = servers.service()
    upload, _ = service.begin(FILE.new, fresh=True)
    servers.stall(lambda key, number: number == 1)

    def put(index: int) -> Upload:
        return service.put_chunk(upload.id, FILE.frame(index), owner="ann")

    first = pool.submit(put, 0)
    eventually(lambda: servers.stalled)
    for index in range(1, upload.total_chunks):
        pool.submit(put, index).result(DEADLINE / 2)
    assert not first.done()
    servers.released.set()
    assert servers.content(first.result(DEADLINE)) == FILE.data


def test_a_part_that_the_bucket_keeps_waiting_does_not_arrive_after_its_replacement(
    tmp_path: Path, moto: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    moto.configure(monkeypatch)  # rclone takes no other bytes for a part
    servers = StallingServers(tmp_path, moto)
    service = servers.service()
    upload, _ = service.begin(FILE.new, fresh=True)
    servers.stall(lambda key, number: number == 1)
    with service.writer(upload.id, owner="ann") as first:
        written(first, OTHER.frames(0))
        eventually(lambda: servers.stalled)
        with service.writer(upload.id, owner="ann") as second:
            chunk = written(second, FILE.frames(0))
            never(lambda: len(servers.stalled) > 1, during=0.3)
            servers.released.set()
            service.store(second, chunk)
            finished = send(service, second, FILE, range(1, upload.total_chunks))
    assert servers.content(finished) == FILE.data


def test_a_replacement_that_is_on_its_way_when_the_blob_is_completed_leaves_nothing(
    servers: StallingServers, pool: ThreadPoolExecutor
) -> None:
    bucket = servers.blobs.bucket
    usual = bucket.put

    def slow(key: str, data: bytes) -> None:
        servers.released.wait(DEADLINE)
        usual(key, data)

    bucket.put = slow
    with servers.blobs.begin(KEY, LAYOUT) as blob:
        parts = put_all(blob)
        writer = blob.part(1, replaces=parts[1].token)
        writer.write(b"xxxx")
        writer.finish()
        completing = pool.submit(blob.complete, parts)
        never(completing.done, during=0.3)
        servers.released.set()
        completing.result(DEADLINE)
    assert [found.key for found in bucket.objects("")] == [KEY]
