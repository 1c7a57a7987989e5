"""An upload as a client sees it."""

from dataclasses import dataclass

from facecli.uploads.names import file_url
from facecli.uploads.upload import FileType, UploadStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadView:
    """The public fields of an upload; times in seconds since 1970."""

    id: str
    name: str
    file_type: FileType
    size: int | None
    chunk_size: int
    total_chunks: int
    status: UploadStatus
    stored_bytes: int
    stored_chunks: int
    crc32c: int | None
    created_at: float
    expires_at: float

    @property
    def file_url(self) -> str:
        return file_url(self.id, self.name)

    @property
    def completed(self) -> bool:
        return self.status is UploadStatus.COMPLETED
