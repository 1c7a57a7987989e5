"""Parts that cannot be sent to a bucket: nothing else is lost with them, and they free their memory."""

import gc
import weakref
from collections.abc import Iterator, Sequence
from concurrent.futures import wait
from pathlib import Path
from typing import Any

import pytest

from facecli.core.errors import StorageFailed
from facecli.uploads.upload import Frame
from tests.support.blobs.s3_servers import S3Server
from tests.support.storage import CHUNK, Content, send, written
from tests.unit.uploads.test_s3 import Servers

FILE = Content(size=5 * CHUNK)
LOST = 2  # the chunk whose part cannot be sent


class FailingServers(Servers):
    """Servers on a bucket that takes all parts but the one of the chunk `LOST`, while it `fails`."""

    def __init__(self, directory: Path, server: S3Server) -> None:
        super().__init__(directory, server)
        self.fails = True
        self.checks = 0  # how often stored parts were listed
        self._usual = self.blobs.bucket.upload_part
        self._parts = self.blobs.bucket.parts
        self.blobs.bucket.upload_part = self._upload_part
        self.blobs.bucket.parts = self._list

    def _upload_part(self, key: str, upload: str, number: int, pieces: Sequence[Any], md5: str) -> str:
        if self.fails and number == LOST + 1:
            raise StorageFailed("the bucket is away")
        return str(self._usual(key, upload, number, pieces, md5))

    def _list(self, key: str, upload: str) -> Any:
        self.checks += 1
        return self._parts(key, upload)


@pytest.fixture
def servers(tmp_path: Path, rclone: S3Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[FailingServers]:
    rclone.configure(monkeypatch)
    running = FailingServers(tmp_path, rclone)
    yield running
    running.storage.close()


def test_a_part_that_cannot_be_sent_costs_no_other_chunk_and_no_check_of_the_upload(
    servers: FailingServers,
) -> None:
    service = servers.service()
    upload, _ = service.begin(FILE.new)
    acknowledged = list[int]()
    with service.writer(upload.id, owner="ann") as writer:
        batch = [(writer, written(writer, FILE.frames(index))) for index in range(LOST + 1)]
        with pytest.raises(StorageFailed, match="the bucket is away"):
            for _, (_, chunk) in zip(service.store_all(batch), batch, strict=True):
                acknowledged.append(chunk.index)
        assert acknowledged == [0, 1]
        send(service, writer, FILE, [3])
    _, chunks = service.begin(FILE.new)
    assert [chunk.index for chunk in chunks] == [0, 1, 3]
    servers.fails = False
    with service.writer(upload.id, owner="ann") as writer:
        finished = send(service, writer, FILE, [2, 4])
    assert servers.content(finished) == FILE.data
    assert servers.checks == 0


def test_a_part_that_cannot_be_sent_frees_its_memory_without_garbage_collection(
    servers: FailingServers,
) -> None:
    service = servers.service()
    upload, _ = service.begin(FILE.new)

    def fail() -> "weakref.ref[memoryview]":
        data = memoryview(FILE.chunk(LOST))
        with service.writer(upload.id, owner="ann") as writer:
            chunk = writer.write(Frame(offset=LOST * CHUNK, data=data, ends_chunk=True))
            assert chunk
            if sending := writer.sending(LOST):
                wait([sending])
            del sending
            with pytest.raises(StorageFailed):
                service.store(writer, chunk)
        return weakref.ref(data)

    gc.collect()
    gc.disable()
    try:
        assert fail()() is None
    finally:
        gc.enable()
