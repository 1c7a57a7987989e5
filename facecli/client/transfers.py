"""Files to send and the outcome of sending them."""

from dataclasses import dataclass
from pathlib import Path

from facecli.core.errors import FacecliError
from facecli.core.progress import TransferProgress
from facecli.uploads.upload import FileType


@dataclass(frozen=True, slots=True, kw_only=True)
class FileToSend:
    """A local file, and what it shall be called on the server."""

    path: Path
    name: str
    file_type: FileType
    progress: TransferProgress


@dataclass(frozen=True, slots=True, kw_only=True)
class SentUpload:
    """`bytes_skipped` were stored before and compared, not sent; `retries` are the breaks on the way."""

    file_url: str
    upload_id: str
    name: str
    size: int
    crc32c: int
    chunks: int
    bytes_sent: int
    bytes_skipped: int
    retries: int
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """What became of a file: `upload`, or the `error`."""

    upload: SentUpload | None = None
    error: FacecliError | None = None

    def get(self) -> SentUpload:
        if self.error:
            raise self.error
        assert self.upload
        return self.upload
