"""Uploads, chunks and frames: states, sizes and rules."""

from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import unquote

from facecli.core.errors import InvalidInput
from facecli.uploads.names import checked_name, file_url

CHUNK_SIZE = 10 * 1024 * 1024  # bytes; the unit of checksum, acknowledgement and resume
FRAME_SIZE = 512 * 1024  # bytes of a message; larger ones need a fast network (client/send_rate.py)
FINGERPRINT_SIZE = 1024 * 1024  # bytes at either end of a file that the fingerprint covers
MAX_CHUNK_SIZE = 16 * 1024 * 1024
MAX_CHUNKS = 1_000_000


class UploadStatus(StrEnum):
    INCOMPLETE = "incomplete"
    COMPLETED = "completed"


class FileType(StrEnum):
    IMAGE = "image"
    VIDEO = "video"


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """A durable chunk. `token` names its bytes in the blob store until the upload is complete."""

    index: int
    size: int
    crc32c: int
    token: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NewChunk:
    """A flushed chunk to insert. `epoch` is the fencing token of its writer, None for a single chunk.

    `whole` is the crc32c of the whole file, set only on the chunk that completes it.
    """

    upload_id: str
    epoch: int | None
    chunk: Chunk
    whole: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """A piece of one chunk, at its absolute offset in the file.

    `crc32c` is that of `data`, if already known.
    """

    offset: int
    data: bytes | memoryview
    crc32c: int | None = None
    chunk_crc32c: int | None = None
    ends_chunk: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class NewUpload:
    """The announcement of an upload. `size` is None when only `total_chunks` is known."""

    owner: str
    name: str
    file_type: FileType
    size: int | None
    chunk_size: int
    total_chunks: int
    fingerprint: int | None = None

    @classmethod
    def checked(
        cls,
        *,
        owner: str,
        name: str,
        file_type: str,
        size: int | None,
        chunk_size: int,
        total_chunks: int | None = None,
        fingerprint: int | None = None,
    ) -> "NewUpload":
        """Build from untrusted input; InvalidInput for an impossible size."""
        name = checked_name(name)
        if size is not None and size <= 0:
            raise InvalidInput(f"{name} has {size} bytes; an upload needs at least one")
        if not 0 < chunk_size <= MAX_CHUNK_SIZE:
            raise InvalidInput(f"a chunk of {chunk_size} bytes is not between 1 and {MAX_CHUNK_SIZE}")
        counted = -(-size // chunk_size) if size is not None else total_chunks
        if counted is None or not 0 < counted <= MAX_CHUNKS:
            raise InvalidInput(f"an upload has 1 to {MAX_CHUNKS} chunks, not {counted}")
        if total_chunks is not None and counted != total_chunks:
            raise InvalidInput(f"{size} bytes in chunks of {chunk_size} are {counted}, not {total_chunks}")
        return cls(
            owner=owner,
            name=name,
            file_type=checked_file_type(file_type),
            size=size,
            chunk_size=chunk_size,
            total_chunks=counted,
            fingerprint=fingerprint,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """An upload, complete or not. `stored_bytes` never decreases; `epoch` is the fencing token of writers."""

    id: str
    blob_key: str
    owner: str
    name: str
    file_type: FileType
    size: int | None
    chunk_size: int
    total_chunks: int
    fingerprint: int | None
    status: UploadStatus
    epoch: int
    stored_bytes: int
    stored_chunks: int
    crc32c: int | None
    created_at: float
    updated_at: float
    expires_at: float

    @classmethod
    def begun(
        cls, new: NewUpload, *, upload_id: str, blob_key: str, now: float, expires_at: float
    ) -> "Upload":
        return cls(
            id=upload_id,
            blob_key=blob_key,
            owner=new.owner,
            name=new.name,
            file_type=new.file_type,
            size=new.size,
            chunk_size=new.chunk_size,
            total_chunks=new.total_chunks,
            fingerprint=new.fingerprint,
            status=UploadStatus.INCOMPLETE,
            epoch=0,
            stored_bytes=0,
            stored_chunks=0,
            crc32c=None,
            created_at=now,
            updated_at=now,
            expires_at=expires_at,
        )

    @property
    def file_url(self) -> str:
        return file_url(self.id, self.name)

    @property
    def completed(self) -> bool:
        return self.status is UploadStatus.COMPLETED

    def chunk_length(self, index: int) -> int | None:
        """Bytes of a chunk; None for the last one while the size is unknown."""
        if not 0 <= index < self.total_chunks:
            raise InvalidInput(f"chunk {index} is outside 0..{self.total_chunks - 1} of {self.name}")
        if index < self.total_chunks - 1:
            return self.chunk_size
        return None if self.size is None else self.size - index * self.chunk_size


def blob_keys(upload_id: str) -> tuple[str, str]:
    """The keys that the blob of an upload can have; a new one gets the first."""
    return f"uploads/{upload_id}", f"uploads/{upload_id}.whole"


def upload_id_of(file_url: str) -> str:
    """The id in a `/uploads/<id>/<name>` URL; InvalidInput for anything else."""
    parts = file_url.split("/")
    if len(parts) != 4 or parts[0] or parts[1] != "uploads" or not parts[2] or not unquote(parts[3]):
        raise InvalidInput(f"{file_url!r} is not a file_url; it looks like /uploads/<id>/<name>")
    return parts[2]


def checked_file_type(file_type: str) -> FileType:
    try:
        return FileType(file_type)
    except ValueError:
        raise InvalidInput(f"file_type {file_type!r} is neither image nor video") from None
