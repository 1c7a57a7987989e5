"""Files to upload, and the outcome for each."""

from dataclasses import dataclass
from pathlib import Path

from facecli.core.errors import FacecliError
from facecli.core.progress import TransferProgress
from facecli.uploads.upload import FileType


@dataclass(frozen=True, slots=True, kw_only=True)
class FileToSend:
    """A local file, and its name on the server."""

    path: Path
    name: str
    file_type: FileType
    progress: TransferProgress


@dataclass(frozen=True, slots=True, kw_only=True)
class SentUpload:
    """A complete upload. `bytes_skipped` were already stored and matched; `retries` counts broken streams."""

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
class UploadOutcome:
    """The outcome for one file: either `upload` or `error`.

    `file` is None for an error that stops all files.
    """

    file: FileToSend | None = None
    upload: SentUpload | None = None
    error: FacecliError | None = None

    def get(self) -> SentUpload:
        """The upload; raises the error if there is one."""
        if self.error:
            raise self.error
        assert self.upload
        return self.upload
