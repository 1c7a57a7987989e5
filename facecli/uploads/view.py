"""An upload as a client sees it."""

from dataclasses import dataclass

from facecli.uploads.names import file_url
from facecli.uploads.stage_times import StageTimes
from facecli.uploads.upload import UploadStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadView:
    """The public fields of an upload; times in seconds since 1970."""

    id: str
    name: str
    file_type: str  # a FileType, or one that only a newer server knows
    size: int | None
    chunk_size: int
    total_chunks: int
    status: str  # an UploadStatus, or one that only a newer server knows
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
        return self.status == UploadStatus.COMPLETED


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadAcknowledgement:
    """One durable chunk of an upload; `crc32c` of the whole file comes with the last one.

    `stages` are the stream's times until then; None from a server that does not measure them.
    """

    upload_id: str
    chunk_index: int
    stored_bytes: int
    completed: bool
    crc32c: int | None
    stages: StageTimes | None = None
