"""In-order policy for an upload session: one file from its first chunk to its last, one chunk a message."""

from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

from facecli.api.call_context import CallContext
from facecli.api.upload_session import UploadSession
from facecli.core.errors import InvalidInput, OutOfOrder
from facecli.uploads.committer import WrittenChunk
from facecli.uploads.service import UploadService
from facecli.uploads.upload import Chunk, Frame, NewUpload, Upload
from facecli.uploads.writer import UploadWriter


@dataclass(frozen=True, slots=True, kw_only=True)
class FileChunk:
    """A whole chunk with the file's metadata, as every message of UploadVideo carries it."""

    upload_id: str
    user: str  # as claimed
    name: str
    file_type: str
    total_chunks: int
    size: int  # bytes of the whole file, 0 when unknown
    index: int
    data: bytes | memoryview
    crc32c: int  # of `data`
    chunk_crc32c: int | None  # as the client computed it


@dataclass(frozen=True, slots=True, kw_only=True)
class Resume:
    """The upload to resume, or the id of the one to create; both empty when the first chunk decides."""

    upload_id: str = ""
    new_id: str = ""


class InOrderUploadSession(UploadSession):
    """An upload session of one file. Refuses a chunk that skips ahead and metadata that changes midway.

    Without an upload to resume, the first chunk creates one.
    """

    def __init__(self, upload_service: UploadService, call: CallContext, *, resume: Resume) -> None:
        super().__init__(upload_service, call)
        self.upload_id = resume.upload_id  # of the upload that is written to, once there is one
        self._new_id = resume.new_id
        self._next_chunk = 0

    def write_chunk(self, received: FileChunk) -> WrittenChunk | None:
        """Write a chunk. OutOfOrder names the next one; a chunk that is stored already may come again."""
        self._call.concerns("upload", received.upload_id)
        owner = self._call.user(received.user)
        writer = self._writer or self._begin(received, owner)
        upload = writer.file.upload
        sent = (received.name, received.file_type, received.total_chunks, owner)
        if sent != (upload.name, upload.file_type, upload.total_chunks, upload.owner):
            raise InvalidInput(
                f"user_id, file_name, file_type or total_chunks of {upload.name} changed midway"
            )
        if received.size and upload.size and received.size != upload.size:
            raise InvalidInput(f"file_size of {upload.name} changed midway, from {upload.size} bytes")
        if received.index > self._next_chunk:
            raise OutOfOrder(
                f"chunk {received.index} of {upload.name} is ahead; the next one is {self._next_chunk}",
                next_chunk_index=self._next_chunk,
            )
        frame = Frame(
            offset=received.index * upload.chunk_size,
            data=received.data,
            crc32c=received.crc32c,
            chunk_crc32c=received.chunk_crc32c,
            ends_chunk=True,
        )
        self._next_chunk = max(self._next_chunk, received.index + 1)
        return self._write(writer, frame)

    def _begin(self, first: FileChunk, owner: str) -> UploadWriter:
        with self._lock:
            self._check_open()
            upload = self._find_or_create(first, owner)
            self.upload_id = upload.id
            self._call.concerns("upload", upload.id)
            self._next_chunk = next_missing(self._upload_service.chunks(upload.id))
            return self._enter(upload.id, owner=owner)

    def _find_or_create(self, first: FileChunk, owner: str) -> Upload:
        if upload_id := self.upload_id or first.upload_id:
            return self._upload_service.get(upload_id, owner=owner)
        if first.index > 0:
            raise OutOfOrder(
                f"chunk {first.index} of {first.name} came first; begin with chunk 0", next_chunk_index=0
            )
        new = NewUpload.checked(
            owner=owner,
            name=first.name,
            file_type=first.file_type,
            size=first.size or None,
            chunk_size=len(first.data),
            total_chunks=first.total_chunks,
        )
        least = self._upload_service.fitted(new).chunk_size
        if least != new.chunk_size:
            raise InvalidInput(
                f"this server needs chunks of at least {least} bytes of a file of this size, not "
                f"{new.chunk_size}"
            )
        return self._upload_service.begin(new, fresh=True, upload_id=self._new_id)[0]

    def _naming(self, upload_id: str) -> AbstractContextManager[None]:
        """Name nothing: the stream carries one upload."""
        return nullcontext()


def next_missing(chunks: Iterable[Chunk]) -> int:
    """The index of the first chunk that is not stored."""
    count = 0
    for chunk in chunks:
        if chunk.index != count:
            break
        count += 1
    return count
