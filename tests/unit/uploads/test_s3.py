"""Uploads into S3: kill -9 between part, row and acknowledgement, and parts that the bucket has lost."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from facecli.blobs.file_cache import FileCache
from facecli.core.checksums import crc32c
from facecli.core.errors import StorageFailed, TakenOver
from facecli.uploads.service import UploadService
from facecli.uploads.upload import Upload
from tests.support.blobs.s3_servers import S3Server
from tests.support.storage import CHUNK, Content, Storage, send, written

FILE = Content(size=5 * CHUNK + 7)

# Sends all chunks, and dies in the first call of a method after its return.
SENDER = """
import os, signal, sys
from pathlib import Path
from tests.unit.uploads.test_s3 import FILE, s3_storage
from tests.support.storage import written

directory, url, victim, calls = sys.argv[1:]
storage, blobs = s3_storage(Path(directory), url)
repository = storage.repository()
owner = {"upload_part": blobs.bucket, "complete_upload": blobs.bucket}.get(victim, repository)
usual, left = getattr(owner, victim), int(calls)

def fatal(*arguments, **more):
    global left
    result = usual(*arguments, **more)
    left -= 1
    if not left:
        os.kill(os.getpid(), signal.SIGKILL)
    return result

setattr(owner, victim, fatal)
service = storage.upload_service(repository=repository, blobs=blobs)
upload, chunks = service.begin(FILE.new)
with service.writer(upload.id, owner="ann") as writer:
    for index in range(len(chunks), upload.total_chunks):
        service.store(writer, written(writer, FILE.frames(index)))
        print(index, flush=True)
"""


def s3_storage(directory: Path, url: str) -> tuple[Storage, Any]:
    """A database on this machine, and blobs in a bucket by the environment, as one of several servers has."""
    from facecli.blobs.s3.bucket import Bucket
    from facecli.blobs.s3.clients import connect
    from facecli.blobs.s3.location import S3Location
    from facecli.blobs.s3.store import S3Blobs

    location = S3Location.parse(url)
    cache = FileCache(directory / "cache", limit=10**6)
    return Storage(directory), S3Blobs(Bucket(location, connect(location.bucket)), cache, min_part=1)


class Servers:
    """Servers on one database and one bucket."""

    def __init__(self, directory: Path, server: S3Server) -> None:
        self.directory = directory
        self.environment: Mapping[str, str] = {**os.environ, **server.environment}
        self.url = server.url()
        self.storage, self.blobs = s3_storage(directory, self.url)

    def service(self) -> UploadService:
        return self.storage.upload_service(blobs=self.blobs)

    def killed(self, victim: str, calls: int) -> set[int]:
        """The chunks that another server acknowledged before it was killed after a call of this method."""
        command = [sys.executable, "-c", SENDER, str(self.directory), self.url, victim, str(calls)]
        done = subprocess.run(
            command,
            stdout=subprocess.PIPE,
            text=True,
            check=False,
            env={**self.environment, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )
        assert done.returncode == -signal.SIGKILL, done
        return set(map(int, done.stdout.split()))

    def finish(self, service: UploadService | None = None) -> tuple[Upload, int]:
        """Send what is missing; the upload, and the number of chunks that were sent."""
        service = service or self.service()
        upload, chunks = service.begin(FILE.new)
        if upload.completed:
            return upload, 0
        missing = sorted(set(range(upload.total_chunks)) - {chunk.index for chunk in chunks})
        with service.writer(upload.id, owner="ann") as writer:
            upload = send(service, writer, FILE, missing)
        return upload, len(missing)

    def content(self, upload: Upload) -> bytes:
        return b"".join(self.blobs.open(upload.blob_key, offset=0, block=CHUNK))


@pytest.fixture
def servers(tmp_path: Path, rclone: S3Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[Servers]:
    rclone.configure(monkeypatch)
    running = Servers(tmp_path, rclone)
    yield running
    running.storage.close()


@pytest.mark.parametrize(
    ("victim", "calls", "sent"),
    [
        ("upload_part", 3, 4),  # the part is there, its row is not
        ("store_chunks", 3, 3),  # the row is there, the acknowledgement was not sent
        ("store_chunks", 6, 0),  # every row is there, the object is not
        ("complete_upload", 1, 0),  # the object is there, the row says incomplete
        ("complete", 1, 0),  # everything is there, but the acknowledgement
    ],
)
def test_another_server_goes_on_after_kill_9(servers: Servers, victim: str, calls: int, sent: int) -> None:
    acknowledged = servers.killed(victim, calls)
    upload, chunks = servers.service().begin(FILE.new)
    assert acknowledged <= {chunk.index for chunk in chunks}
    upload, sent_again = servers.finish()
    assert sent_again == sent
    assert upload.completed
    assert (servers.content(upload), upload.crc32c) == (FILE.data, crc32c(FILE.data))
    assert list(servers.blobs.bucket.uploads("")) == []


def test_a_writer_on_another_server_takes_over_while_the_first_still_writes(servers: Servers) -> None:
    first, second = servers.service(), servers.service()
    upload, _ = first.begin(FILE.new)
    with first.writer(upload.id, owner="ann") as old:
        send(first, old, FILE, [0, 1])
        late = written(old, FILE.frames(2))
        _, chunks = second.begin(FILE.new)
        assert [chunk.index for chunk in chunks] == [0, 1]
        with second.writer(upload.id, owner="ann") as new:
            send(second, new, FILE, [2])
            for each in (late, written(old, FILE.frames(3))):
                with pytest.raises(TakenOver):
                    first.store(old, each)
            assert [chunk.index for chunk in servers.service().chunks(upload.id)] == [0, 1, 2]
            finished = send(second, new, FILE, [3, 4, 5])
    assert servers.content(finished) == FILE.data


def test_the_server_that_began_an_upload_takes_it_back_from_another_one(servers: Servers) -> None:
    first, second = servers.service(), servers.service()
    upload, _ = first.begin(FILE.new)
    with second.writer(upload.id, owner="ann") as writer:
        send(second, writer, FILE, [0, 1])
        _, chunks = first.begin(FILE.new)
        with first.writer(upload.id, owner="ann") as newest:
            assert sorted(newest.file.chunks) == [chunk.index for chunk in chunks] == [0, 1]
            with pytest.raises(TakenOver):
                send(second, writer, FILE, [2])
            finished = send(first, newest, FILE, [2, 3, 4, 5])
    assert servers.content(finished) == FILE.data


def store_some(servers: Servers, count: int) -> Upload:
    service = servers.service()
    upload, _ = service.begin(FILE.new)
    with service.writer(upload.id, owner="ann") as writer:
        send(service, writer, FILE, range(count))
    return upload


def test_chunks_of_an_upload_that_the_bucket_ended_are_sent_again(servers: Servers) -> None:
    """Rules of a bucket end multipart uploads after some days."""
    upload = store_some(servers, 3)
    for info, upload_id in servers.blobs.bucket.uploads(upload.blob_key):
        servers.blobs.bucket.abort_upload(info.key, upload_id)
    service = servers.service()
    assert len(service.begin(FILE.new)[1]) == 3
    with service.writer(upload.id, owner="ann") as writer:
        assert writer.file.chunks == {}
        finished = send(service, writer, FILE, range(upload.total_chunks))
    assert servers.content(finished) == FILE.data


def test_a_part_that_a_late_request_has_replaced_is_sent_again(
    tmp_path: Path, moto: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    moto.configure(monkeypatch)
    servers = Servers(tmp_path, moto)
    upload, last = store_some(servers, 5), FILE.size // CHUNK
    ((_, upload_id),) = servers.blobs.bucket.uploads(upload.blob_key)
    late = b"x" * CHUNK
    md5 = "00" * 16  # moto does not look at it
    servers.blobs.bucket.upload_part(upload.blob_key, upload_id, 2, [late], md5)
    servers.blobs.bucket.md5_etags = True
    service = servers.service()
    with pytest.raises(StorageFailed), service.writer(upload.id, owner="ann") as writer:
        send(service, writer, FILE, [last])
    upload, sent = servers.finish(service)
    assert (sent, upload.completed) == (1, True)
    assert servers.content(upload) == FILE.data
