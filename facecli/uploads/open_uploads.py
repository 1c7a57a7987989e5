"""The registry of uploads that have writers, each opened once."""

import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress

from facecli.core.blobs import BlobStore, Capability, Part, PartLayout, StagedBlob
from facecli.core.damage import BlobVerifier
from facecli.core.errors import StorageFailed
from facecli.uploads.open_upload import OpenUpload
from facecli.uploads.quota import Quota
from facecli.uploads.repository import UploadRepository
from facecli.uploads.upload import Chunk, Upload

SETTLE_TIMEOUT = 2.0  # seconds; a slower disk is stuck, and clients have to wait for it anyway
MAX_FRESH = 1000  # new uploads that are opened without reading their rows again


class OpenUploads:
    """Opens and closes uploads, with a lock per upload.

    One lock for all would not do: reserving the space of a file can take as long as writing all of it.
    """

    def __init__(self, *, repository: UploadRepository, blobs: BlobStore, quota: Quota) -> None:
        self._lock = threading.Condition()
        self._exclusive: set[str] = set()
        self._repository = repository
        self._blobs = blobs
        self._quota = quota
        self._verifier = BlobVerifier(blobs, on_bytes=lambda size: None)
        self._open: dict[str, OpenUpload] = {}
        self._fresh: dict[str, Upload] = {}
        self._doubtful: set[str] = set()

    def add_fresh(self, upload: Upload) -> None:
        """Record a new upload of this process: its first writer supersedes no other."""
        with self._lock:
            if len(self._fresh) >= MAX_FRESH:  # many are written through other servers
                del self._fresh[next(iter(self._fresh))]
            self._fresh[upload.id] = upload

    def forget_fresh(self, upload_id: str) -> None:
        with self._lock:
            self._fresh.pop(upload_id, None)

    @contextmanager
    def exclusive(self, upload_id: str) -> Iterator[OpenUpload | None]:
        """Lock an upload against opening, closing and removal by other threads; yield it if it is open."""
        with self._lock:
            self._lock.wait_for(lambda: upload_id not in self._exclusive)
            file = self._open.get(upload_id)
            self._exclusive.add(upload_id)
        try:
            yield file
        finally:
            with self._lock:
                self._exclusive.discard(upload_id)
                self._lock.notify_all()

    def owner(self, upload_id: str) -> str | None:
        """The owner of an upload if it is known without reading the row."""
        with self._lock:
            if file := self._open.get(upload_id):
                return file.upload.owner
            fresh = self._fresh.get(upload_id)
            return fresh.owner if fresh else None

    def settle(self, upload_ids: Iterable[str]) -> None:
        """Wait, for `SETTLE_TIMEOUT` at most, until all chunks received so far are stored or abandoned."""
        until = time.monotonic() + SETTLE_TIMEOUT
        for upload_id in upload_ids:
            if file := self._open.get(upload_id):
                file.settle(until - time.monotonic())

    def is_doubtful(self, upload_id: str) -> bool:
        """Whether the disk may have lost stored chunks; opening the upload verifies them."""
        return upload_id in self._doubtful

    @contextmanager
    def opened(self, upload_id: str) -> Iterator[OpenUpload]:
        """Open an upload.

        After a failed flush: StorageFailed while writers remain; the next opening verifies the stored chunks.
        """
        with self.exclusive(upload_id) as already_open:
            file = already_open or self._opened(upload_id)
            if file.broken:
                raise StorageFailed(f"a flush of {file.upload.name} failed; waiting for its writers to end")
            self._open[upload_id] = file
            file.join()
        try:
            yield file
        finally:
            with self.exclusive(upload_id):
                if file.leave():
                    del self._open[upload_id]
                    if file.broken:
                        self._doubtful.add(upload_id)
                    file.close()

    def reclaim(self, upload: Upload) -> None:
        """Free the space of replaced chunks that a crash has left; opening the blob does it, if anything."""
        layout = _layout(upload)
        if Capability.FREES_PARTS not in self._blobs.capabilities:
            return
        if self._blobs.exists(upload.blob_key) and self._blobs.size(upload.blob_key) > (
            layout.part_size * layout.count
        ):
            self._blob(upload, self._repository.chunks(upload.id)).close()

    def _opened(self, upload_id: str) -> OpenUpload:
        if fresh := self._fresh.get(upload_id):
            self.forget_fresh(upload_id)
            with suppress(StorageFailed):  # for one that another server has begun to write, too
                blob = self._blobs.begin(fresh.blob_key, _layout(fresh))
                return OpenUpload(fresh, blob, (), quota=self._quota, unclaimed=True)
        upload, chunks = self._repository.get(upload_id), self._repository.chunks(upload_id)
        with ExitStack() as stack:
            blob = stack.enter_context(self._blob(upload, chunks))
            file = OpenUpload(upload, blob, chunks, quota=self._quota)
            if upload_id in self._doubtful or blob.doubtful:
                self._verify(file)
                self._doubtful.discard(upload_id)
            stack.pop_all()
        return file

    def _blob(self, upload: Upload, chunks: Sequence[Chunk]) -> StagedBlob:
        if not chunks and not self._blobs.exists(upload.blob_key):
            # Never written to, or created just before a power cut.
            return self._blobs.begin(upload.blob_key, _layout(upload))
        tokens = None if upload.completed else {chunk.index: chunk.token for chunk in chunks}
        return self._blobs.resume(upload.blob_key, _layout(upload), tokens=tokens)

    def _verify(self, file: OpenUpload) -> None:
        """Read the stored chunks back after a failed flush; forget those that the disk has lost."""
        lost = [chunk for chunk in file.chunks.values() if not self._holds(file.upload, chunk)]
        if file.upload.completed and lost:
            raise StorageFailed(f"the disk lost bytes of {file.upload.name}, which is complete")
        if lost:
            upload = self._repository.forget_chunks(file.upload.id, [chunk.index for chunk in lost])
            file.lose_chunks(upload, lost)

    def _holds(self, upload: Upload, chunk: Chunk) -> bool:
        part = Part(token=chunk.token, size=chunk.size)
        return self._verifier.has_part(upload.blob_key, part, chunk.crc32c)


def _layout(upload: Upload) -> PartLayout:
    return PartLayout(part_size=upload.chunk_size, count=upload.total_chunks, size=upload.size)
