"""Real rows and blobs that fail, or wait, when a test says so."""

import threading
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from facecli.blobs.local.store import LocalBlobs
from facecli.core.blobs import BlobWriter
from facecli.core.errors import DiskFull, StorageFailed, Unavailable
from facecli.metadata.uploads import SqlUploadRepository
from facecli.uploads.upload import NewChunk, Upload

DEADLINE = 60.0  # seconds; when a test gives up


class Gate:
    """Open, or closed with somebody waiting at it."""

    def __init__(self) -> None:
        self._opened = threading.Event()
        self._opened.set()
        self.reached = threading.Event()

    def close(self) -> None:
        self.reached.clear()
        self._opened.clear()

    def open(self) -> None:
        self._opened.set()

    def pass_through(self) -> None:
        self.reached.set()
        self._opened.wait()


class Meeting(Gate):
    """Lets nobody through before so many are there."""

    def __init__(self, parties: int) -> None:
        super().__init__()
        self._barrier = threading.Barrier(parties)

    def pass_through(self) -> None:
        self._barrier.wait(DEADLINE)


class FaultyBlobs(LocalBlobs):
    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.disk_full = False
        self.flush_fails = False
        self.unflushable = ""  # the key of a blob whose flush fails
        self.flushing = Gate()
        self.creating: dict[str, Gate] = {}

    def create(self, key: str, *, size: int | None) -> None:
        if self.disk_full:
            raise DiskFull(retry_after=1)
        if gate := self.creating.get(key):
            gate.pass_through()
        super().create(key, size=size)

    def writer(self, key: str) -> BlobWriter:
        return FaultyWriter(self, key, super().writer(key))


class FaultyWriter:
    def __init__(self, blobs: FaultyBlobs, key: str, real: BlobWriter) -> None:
        self._blobs = blobs
        self._key = key
        self._real = real

    def write(self, offset: int, data: bytes | memoryview) -> None:
        if self._blobs.disk_full:
            self._real.write(offset, data[: len(data) // 2])
            raise DiskFull(retry_after=1)
        self._real.write(offset, data)

    def run(self, offset: int) -> "FaultyRun":
        return FaultyRun(self, offset)

    def flush(self) -> None:
        self._blobs.flushing.pass_through()
        if self._blobs.flush_fails or self._blobs.unflushable == self._key:
            raise StorageFailed("the disk said EIO")
        self._real.flush()

    def size(self) -> int:
        return self._real.size()

    def forget_cached(self) -> None:
        self._real.forget_cached()

    def truncate(self, size: int) -> None:
        self._real.truncate(size)

    def read(self, offset: int, length: int) -> bytes:
        return self._real.read(offset, length)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._real.__exit__(kind, error, trace)


class FaultyRun:
    def __init__(self, writer: FaultyWriter, offset: int) -> None:
        self._writer = writer
        self._offset = offset

    def write(self, data: bytes | memoryview) -> None:
        self._writer.write(self._offset, data)
        self._offset += len(data)

    def end(self) -> None: ...

    def drop(self) -> None: ...


class FaultyRows(SqlUploadRepository):
    committing: Gate | None = None  # at which chunks wait
    refuses_chunks = False
    forgets_to_answer = False  # it commits, and then the connection is gone
    refuses_completion = False

    def store_chunks(self, new: Sequence[NewChunk], *, now: float, expires_at: float) -> list[Upload]:
        if self.committing:
            self.committing.pass_through()
        if self.refuses_chunks:
            raise Unavailable("the database is gone")
        stored = super().store_chunks(new, now=now, expires_at=expires_at)
        if self.forgets_to_answer:
            raise Unavailable("the database is gone")
        return stored

    def complete(self, upload_id: str, *, crc32c: int, size: int, blob_key: str, now: float) -> Upload:
        if self.refuses_completion:
            raise Unavailable("the database is gone")
        return super().complete(upload_id, crc32c=crc32c, size=size, blob_key=blob_key, now=now)
