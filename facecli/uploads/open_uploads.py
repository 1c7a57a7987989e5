"""The uploads that somebody writes to now, each opened once."""

import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from facecli.core.blobs import BlobStore
from facecli.core.checksums import crc32c
from facecli.core.errors import StorageFailed
from facecli.uploads.open_upload import OpenUpload
from facecli.uploads.repository import UploadRepository
from facecli.uploads.upload import Chunk, Upload

SETTLING = 2.0  # seconds; the disk is stuck then, and who comes has to wait for it anyway
MOST_FRESH = 1000  # begun uploads whose rows need not be read again to be opened


class OpenUploads:
    """One thread at a time opens, closes or removes one upload; others go their way meanwhile.

    To make a file's room may take as long as to write all of it.
    """

    def __init__(self, *, repository: UploadRepository, blobs: BlobStore) -> None:
        self._lock = threading.Condition()
        self._alone: set[str] = set()
        self._repository = repository
        self._blobs = blobs
        self._open: dict[str, OpenUpload] = {}
        self._fresh: dict[str, Upload] = {}
        self._doubted: set[str] = set()

    def begun(self, upload: Upload) -> None:
        """A new row of this process: whoever opens it first is its first writer, and supersedes nobody."""
        with self._lock:
            if len(self._fresh) < MOST_FRESH:
                self._fresh[upload.id] = upload

    @contextmanager
    def alone(self, upload_id: str) -> Iterator[OpenUpload | None]:
        """Its file, if it is open; until leaving nobody else opens, closes or removes it."""
        with self._lock:
            self._lock.wait_for(lambda: upload_id not in self._alone)
            file = self._open.get(upload_id)
            self._alone.add(upload_id)
        try:
            yield file
        finally:
            with self._lock:
                self._alone.discard(upload_id)
                self._lock.notify_all()

    def owner(self, upload_id: str) -> str | None:
        """Whose it is, where that is known without reading its row."""
        with self._lock:
            if file := self._open.get(upload_id):
                return file.upload.owner
            fresh = self._fresh.get(upload_id)
            return fresh.owner if fresh else None

    def forget(self, upload_id: str) -> None:
        with self._lock:
            self._fresh.pop(upload_id, None)

    def settle(self, upload_ids: Iterable[str]) -> None:
        """Wait until what has come whole of these by now is stored, or given up; not for long, though."""
        until = time.monotonic() + SETTLING
        for upload_id in upload_ids:
            if file := self._open.get(upload_id):
                file.settle(until - time.monotonic())

    def doubted(self, upload_id: str) -> bool:
        """Whether the disk may have lost some of it, which is found out when it is opened."""
        return upload_id in self._doubted

    @contextmanager
    def opened(self, upload_id: str) -> Iterator[OpenUpload]:
        """StorageFailed while a file whose flush failed has writers left; then it is checked and opened."""
        with self.alone(upload_id) as there:
            file = there or self._opening(upload_id)
            if file.broken:
                raise StorageFailed(f"a flush of {file.upload.name} failed; waiting for its writers to end")
            self._open[upload_id] = file
            file.users += 1
        try:
            yield file
        finally:
            with self.alone(upload_id):
                file.users -= 1
                if not file.users:
                    del self._open[upload_id]
                    file.blob.__exit__(None, None, None)
                    if file.broken:
                        self._doubted.add(upload_id)

    def _opening(self, upload_id: str) -> OpenUpload:
        if upload := self._fresh.get(upload_id):
            self._blobs.create(upload.blob_key, size=upload.size)
            self.forget(upload_id)
            return OpenUpload(upload, self._blobs.writer(upload.blob_key), (), unclaimed=True)
        upload, chunks = self._repository.get(upload_id), self._repository.chunks(upload_id)
        if not chunks and not self._blobs.exists(upload.blob_key):
            # Begun and never written to, or its name was not durable when the power went.
            self._blobs.create(upload.blob_key, size=upload.size)
        file = OpenUpload(upload, self._blobs.writer(upload.blob_key), chunks)
        if upload_id in self._doubted:
            self._check(file)
            self._doubted.discard(upload_id)
        return file

    def _check(self, file: OpenUpload) -> None:
        """Read back what is stored after a flush failed; what the disk does not hold has to come again."""
        file.blob.forget_cached()
        lost = [chunk for chunk in file.chunks.values() if not _holds(file, chunk)]
        if file.upload.completed and lost:
            raise StorageFailed(f"the disk lost bytes of {file.upload.name}, which is complete")
        if lost:
            file.upload = self._repository.forget_chunks(file.upload.id, [chunk.index for chunk in lost])
            for chunk in lost:
                del file.chunks[chunk.index]


def _holds(file: OpenUpload, chunk: Chunk) -> bool:
    try:
        return crc32c(file.blob.read(chunk.position, chunk.size)) == chunk.crc32c
    except StorageFailed:
        return False
