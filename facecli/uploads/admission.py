"""Admission control of uploads: size limit, free space, quota."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from facecli.core.blobs import RETRY_AFTER, BlobStore
from facecli.core.errors import DiskFull, FileTooLarge, InvalidInput
from facecli.uploads.quota import Admit, Quota
from facecli.uploads.upload import MAX_CHUNK_SIZE, Chunk, NewUpload, Upload


class UploadAdmission:
    """Refuses uploads that exceed a limit of this server. `max_file_size` is in bytes."""

    def __init__(self, *, blobs: BlobStore, quota: Quota, max_file_size: int) -> None:
        self._blobs = blobs
        self._quota = quota
        self._max_file_size = max_file_size

    @property
    def min_chunk_size(self) -> int:
        """Bytes of the smallest chunk that the blob store can keep among several; 0 for any."""
        return self._blobs.part_limits.min_size

    def fitted(self, new: NewUpload) -> NewUpload:
        """The announcement with the nearest chunk size that the blob store can keep.

        FileTooLarge for more chunks than it can, InvalidInput for small ones of a file of unknown size.
        """
        limits, size = self._blobs.part_limits, new.size
        least = max(limits.min_size, -(-(size or 0) // limits.max_count) if limits.max_count else 0)
        fits = new.total_chunks == 1 or new.chunk_size >= least
        if fits and new.total_chunks <= (limits.max_count or new.total_chunks):
            return new
        if size is None and new.total_chunks <= limits.max_count:
            raise InvalidInput(
                f"chunks of {new.name} need at least {limits.min_size} bytes; send larger ones"
            )
        if size is None or least > MAX_CHUNK_SIZE:
            raise FileTooLarge(
                f"{new.name} has more chunks than the store of this server can keep, {limits.max_count}"
            )
        return replace(new, chunk_size=least, total_chunks=-(-size // least))

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
    def admitted(self, uploads: Sequence[Upload]) -> Iterator[Admit]:
        """Admit new uploads, to be inserted with the check of the quota within this block.

        DiskFull, QuotaReached or FileTooLarge.
        """
        required, free = sum(upload.size or 0 for upload in uploads), self._blobs.free_bytes()
        if required > free:
            raise DiskFull(
                f"no room for {required} bytes, {free} are free; acknowledged bytes are safe",
                retry_after=RETRY_AFTER,
            )
        with self._quota.uploads(uploads) as admit:
            yield admit

    def check_file(self, name: str, size: int) -> None:
        """Raise FileTooLarge for a file of this size."""
        if size > self._max_file_size:
            raise FileTooLarge(f"{name} has {size} bytes; the limit of this server is {self._max_file_size}")
