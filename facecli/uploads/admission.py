"""Admission control of uploads: size limit, free space, quota."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from facecli.core.blobs import RETRY_AFTER, BlobStore
from facecli.core.errors import DiskFull, FileTooLarge
from facecli.uploads.quota import Quota
from facecli.uploads.upload import Chunk, NewUpload, Upload


class UploadAdmission:
    """Refuses uploads that exceed a limit of this server. `max_file_size` is in bytes."""

    def __init__(self, *, blobs: BlobStore, quota: Quota, max_file_size: int) -> None:
        self._blobs = blobs
        self._quota = quota
        self._max_file_size = max_file_size

    def check_size(self, new: NewUpload) -> None:
        """Raise FileTooLarge if the announced size exceeds the limit."""
        if new.size is not None:
            self.check_file(new.name, new.size)

    def check_chunk(self, upload: Upload, chunk: Chunk) -> None:
        """Raise FileTooLarge if the file would exceed the limit with this chunk."""
        self.check_file(upload.name, chunk.index * upload.chunk_size + chunk.size)

    def largest_file(self, owner: str) -> int:
        """The size in bytes of the largest file that the limit, and the quota of this owner, allow now."""
        quota = self._quota.limits.stored
        room = quota - self._quota.used(owner).stored if quota else self._max_file_size
        return max(1, min(room, self._max_file_size))

    @contextmanager
    def admitted(self, uploads: Sequence[Upload]) -> Iterator[None]:
        """Admit new uploads, to be inserted within this block; DiskFull, QuotaReached or FileTooLarge."""
        required, free = sum(upload.size or 0 for upload in uploads), self._blobs.free_bytes()
        if required > free:
            raise DiskFull(
                f"no room for {required} bytes, {free} are free; acknowledged bytes are safe",
                retry_after=RETRY_AFTER,
            )
        with self._quota.uploads(uploads):
            yield

    def check_file(self, name: str, size: int) -> None:
        """Raise FileTooLarge for a file of this size."""
        if size > self._max_file_size:
            raise FileTooLarge(f"{name} has {size} bytes; the limit of this server is {self._max_file_size}")
