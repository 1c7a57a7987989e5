"""Finds the bytes behind a URL and reads them, from any offset."""

from collections.abc import Iterator
from dataclasses import dataclass

from facecli.core.blobs import BlobStore, present
from facecli.core.errors import InvalidInput
from facecli.tasks.service import TaskService
from facecli.uploads.service import UploadService
from facecli.uploads.upload import FRAME_SIZE


@dataclass(frozen=True, slots=True, kw_only=True)
class Download:
    """A whole file: size in bytes and crc32c."""

    url: str
    blob_key: str
    size: int
    crc32c: int


class Downloads:
    def __init__(self, *, upload_service: UploadService, task_service: TaskService, blobs: BlobStore) -> None:
        self._upload_service = upload_service
        self._task_service = task_service
        self._blobs = blobs

    def find(self, url: str, *, owner: str | None) -> Download:
        """A result or a complete upload; NotFound or NotReady when there is none to have."""
        parts = url.split("/")
        if len(parts) == 4 and parts[1] == "outputs":
            result = self._task_service.result(parts[2], owner=owner)
            return Download(url=url, blob_key=result.blob_key, size=result.size, crc32c=result.crc32c)
        upload = self._upload_service.file(url, owner=owner)
        return Download(url=url, blob_key=upload.blob_key, size=upload.size or 0, crc32c=upload.crc32c or 0)

    def read(self, download: Download, *, offset: int) -> Iterator[bytes]:
        """Blocks of a frame's size from `offset`; none when it is the end."""
        if not 0 <= offset <= download.size:
            raise InvalidInput(f"offset {offset} is outside the file's 0..{download.size}")
        return self._blocks(download, offset)

    def _blocks(self, download: Download, offset: int) -> Iterator[bytes]:
        with present(download.url):
            yield from self._blobs.open(download.blob_key, offset=offset, block=FRAME_SIZE)
