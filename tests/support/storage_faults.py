"""Repositories and blob stores that fail, or wait, on demand."""

import threading
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path
from types import TracebackType
from typing import Self

from facecli.blobs.local.store import LocalBlobs
from facecli.core.blobs import Part, PartLayout, PartWriter, StagedBlob
from facecli.core.errors import DiskFull, StorageFailed, Unavailable
from facecli.metadata.uploads import SqlUploadRepository
from facecli.uploads.upload import NewChunk, Upload

DEADLINE = 60.0  # seconds until a test gives up


class Gate:
    """Blocks the threads that pass through while it is closed."""

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
    """Blocks until so many threads have arrived."""

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
        self.unflushable = ""  # the key of a blob whose sync fails
        self.flushing = Gate()
        self.creating: dict[str, Gate] = {}

    def begin(self, key: str, layout: PartLayout) -> StagedBlob:
        if self.disk_full:
            raise DiskFull(retry_after=1)
        if gate := self.creating.get(key):
            gate.pass_through()
        return FaultyStagedBlob(self, key, super().begin(key, layout))

    def resume(self, key: str, layout: PartLayout, *, tokens: Mapping[int, str] | None) -> StagedBlob:
        return FaultyStagedBlob(self, key, super().resume(key, layout, tokens=tokens))


class FaultyStagedBlob:
    def __init__(self, blobs: FaultyBlobs, key: str, real: StagedBlob) -> None:
        self._blobs = blobs
        self._key = key
        self._real = real

    @property
    def doubtful(self) -> bool:
        return self._real.doubtful

    def part(self, index: int, *, replaces: str | None) -> PartWriter:
        return FaultyPartWriter(self._blobs, self._real.part(index, replaces=replaces))

    def sync(self, tokens: Collection[str]) -> None:
        self._blobs.flushing.pass_through()
        if self._blobs.flush_fails or self._blobs.unflushable == self._key:
            raise StorageFailed("the disk said EIO")
        self._real.sync(tokens)

    def in_order(self, parts: Sequence[Part]) -> bool:
        return self._real.in_order(parts)

    def rearrange(self, parts: Sequence[Part]) -> Mapping[int, str]:
        if self._blobs.disk_full:
            raise DiskFull(retry_after=1)
        return self._real.rearrange(parts)

    def release(self, tokens: Sequence[str]) -> None:
        self._real.release(tokens)

    def complete(self, parts: Sequence[Part]) -> None:
        if self._blobs.disk_full:
            raise DiskFull(retry_after=1)
        self._real.complete(parts)

    def discard(self) -> None:
        self._real.discard()

    def close(self) -> None:
        self._real.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class FaultyPartWriter:
    def __init__(self, blobs: FaultyBlobs, real: PartWriter) -> None:
        self._blobs = blobs
        self._real = real

    @property
    def token(self) -> str | None:
        return self._real.token

    @property
    def sending(self) -> Future[None] | None:
        return self._real.sending

    def write(self, data: bytes | memoryview) -> None:
        if self._blobs.disk_full:
            self._real.write(data[: len(data) // 2])
            raise DiskFull(retry_after=1)
        self._real.write(data)

    def reserve(self) -> None:
        self._real.reserve()

    def finish(self) -> str | None:
        return self._real.finish()

    def commit(self) -> None:
        self._real.commit()

    def abort(self) -> None:
        self._real.abort()

    def abandon(self) -> None:
        self._real.abandon()


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

    def complete(self, upload_id: str, *, crc32c: int, size: int, now: float) -> Upload:
        if self.refuses_completion:
            raise Unavailable("the database is gone")
        return super().complete(upload_id, crc32c=crc32c, size=size, now=now)
