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
            self._check(new.name, new.size)

    def check_chunk(self, upload: Upload, chunk: Chunk) -> None:
        """Raise FileTooLarge if the file would exceed the limit with this chunk."""
        self._check(upload.name, chunk.index * upload.chunk_size + chunk.size)

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

    def _check(self, name: str, size: int) -> None:
        if size > self._max_file_size:
            raise FileTooLarge(f"{name} has {size} bytes; the limit of this server is {self._max_file_size}")
