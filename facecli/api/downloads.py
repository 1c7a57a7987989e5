"""Downloads: resolves a result or upload URL and reads its bytes from any offset."""

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import unquote

from facecli.core.blobs import BlobStore, present
from facecli.core.errors import InvalidInput
from facecli.tasks.service import TaskService
from facecli.uploads.service import UploadService
from facecli.uploads.upload import FRAME_SIZE


@dataclass(frozen=True, slots=True, kw_only=True)
class Download:
    """A complete file. `size` is in bytes; `name` is for people."""

    url: str
    name: str
    blob_key: str
    size: int
    crc32c: int


class Downloads:
    """Read access to the files of users."""

    def __init__(self, upload_service: UploadService, task_service: TaskService, blobs: BlobStore) -> None:
        self._upload_service = upload_service
        self._task_service = task_service
        self._blobs = blobs

    def find(self, url: str, *, owner: str | None) -> Download:
        """The result, contact sheet or complete upload at a URL; NotFound or NotReady when there is none."""
        parts = url.split("/")
        if len(parts) == 4 and parts[1] == "outputs":
            found, file = self._task_service.output(url, owner=owner)
            name = unquote(found.rpartition("/")[2])
            return Download(url=url, name=name, blob_key=file.blob_key, size=file.size, crc32c=file.crc32c)
        upload = self._upload_service.file(url, owner=owner)
        size, crc32c = upload.size or 0, upload.crc32c or 0
        return Download(url=url, name=upload.name, blob_key=upload.blob_key, size=size, crc32c=crc32c)

    def read(self, download: Download, *, offset: int) -> Iterator[bytes]:
        """Blocks of FRAME_SIZE from `offset` on; none at the end of the file."""
        if not 0 <= offset <= download.size:
            raise InvalidInput(f"offset must be between 0 and {download.size}, not {offset}")
        return self._blocks(download, offset)

    def _blocks(self, download: Download, offset: int) -> Iterator[bytes]:
        with present(download.url):
            yield from self._blobs.open(download.blob_key, offset=offset, block=FRAME_SIZE)
