"""What one call of UploadVideo brings: a file in order, one chunk a message."""

import threading
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from types import TracebackType
from typing import Self

from facecli.core.errors import Cancelled, InvalidInput, OutOfOrder
from facecli.uploads.committer import WrittenChunk
from facecli.uploads.service import UploadService
from facecli.uploads.upload import Chunk, Frame, NewUpload, Upload
from facecli.uploads.writer import UploadWriter
from facecli.wire import frames
from facecli.wire.frames import Payload
from facecli.wire.generated.video_service_pb2 import UploadRequest


class VideoUploadSession:
    """Goes on with `upload_id`, else begins an upload with the first message, as `new_id` if that is given.

    `user` tells whose upload it is, given the user_id of a message.
    """

    def __init__(
        self,
        upload_service: UploadService,
        *,
        user: Callable[[str], str],
        upload_id: str = "",
        new_id: str = "",
    ) -> None:
        self.upload_id = upload_id  # of the upload that is written to, once there is one
        self._upload_service = upload_service
        self._user = user
        self._new_id = new_id
        self._writer: UploadWriter | None = None
        self._next_chunk = 0
        self._open = ExitStack()
        self._left = False
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._lock:
            self._left = True
            self._open.close()

    def write(self, data: bytes) -> WrittenChunk | None:
        """Write a chunk; what changed midway or skips ahead is refused."""
        message, payload = frames.decode(data)
        writer = self._writer or self._begun(message, payload)
        upload = writer.file.upload
        said = (message.file_name, message.file_type, message.total_chunks, self._user(message.user_id))
        if said != (upload.name, upload.file_type, upload.total_chunks, upload.owner):
            raise InvalidInput(
                f"user_id, file_name, file_type or total_chunks of {upload.name} changed midway"
            )
        if message.file_size and upload.size and message.file_size != upload.size:
            raise InvalidInput(f"file_size of {upload.name} changed midway, from {upload.size} bytes")
        if message.chunk_index > self._next_chunk:
            raise OutOfOrder(
                f"chunk {message.chunk_index} of {upload.name} is ahead; the next one is {self._next_chunk}",
                next_chunk_index=self._next_chunk,
            )
        frame = Frame(
            offset=message.chunk_index * upload.chunk_size,
            data=payload.data,
            crc32c=payload.crc32c,
            chunk_crc32c=message.chunk_crc32c if message.HasField("chunk_crc32c") else None,
            ends_chunk=True,
        )
        self._next_chunk = max(self._next_chunk, message.chunk_index + 1)
        chunk = writer.write(frame)
        return (writer, chunk) if chunk else None

    def _begun(self, first: UploadRequest, payload: Payload) -> UploadWriter:
        owner = self._user(first.user_id)
        with self._lock:
            if self._left:  # a writer that began now would end with nothing, and supersede who comes next
                raise Cancelled("the stream has ended")
            upload = self._upload(first, payload, owner)
            self.upload_id = upload.id
            self._next_chunk = next_missing(self._upload_service.chunks(upload.id))
            self._writer = self._open.enter_context(self._upload_service.writer(upload.id, owner=owner))
            return self._writer

    def _upload(self, first: UploadRequest, payload: Payload, owner: str) -> Upload:
        """The upload to go on with, or a new one."""
        if upload_id := self.upload_id or first.upload_id:
            return self._upload_service.get(upload_id, owner=owner)
        if first.chunk_index > 0:
            raise OutOfOrder(
                f"chunk {first.chunk_index} of {first.file_name} came first; begin with chunk 0",
                next_chunk_index=0,
            )
        new = NewUpload.checked(
            owner=owner,
            name=first.file_name,
            file_type=first.file_type,
            size=first.file_size or None,
            chunk_size=len(payload.data),
            total_chunks=first.total_chunks,
        )
        return self._upload_service.begin(new, fresh=True, upload_id=self._new_id)[0]


def next_missing(chunks: Iterable[Chunk]) -> int:
    """How many chunks are stored from the first on without a gap."""
    count = 0
    for chunk in chunks:
        if chunk.index != count:
            break
        count += 1
    return count
