"""What one stream brings: frames of one upload after another, each upload with its writer."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from types import TracebackType
from typing import Self

from facecli.core.errors import Cancelled, FacecliError, InvalidInput
from facecli.uploads.committer import WrittenChunk
from facecli.uploads.service import UploadService
from facecli.uploads.upload import Chunk, Upload
from facecli.uploads.writer import UploadWriter
from facecli.wire import frames

MOST_OPEN = 64  # unfinished uploads of one stream
NOTHING_BEGUN = "the first message of StreamUpload names the upload_id from BeginUpload"


class UploadSession:
    """`write` and `store` run in two threads. A writer ends with its complete upload, or with the stream.

    `user` tells whose upload it is, given the user_id of a message.
    """

    def __init__(self, upload_service: UploadService, *, user: Callable[[str], str]) -> None:
        self._upload_service = upload_service
        self._user = user
        self._writer: UploadWriter | None = None
        self._open: dict[str, tuple[UploadWriter, ExitStack]] = {}
        self._left = False
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._lock:
            self._left = True
            for _, stack in self._open.values():
                stack.close()

    @property
    def begun(self) -> bool:
        return self._writer is not None

    def write(self, data: bytes) -> WrittenChunk | None:
        """Write the frame of a message; the chunk when it was its last. An upload_id switches to it."""
        message, payload = frames.decode(data)
        owner = self._user(message.user_id)
        writer = self._switched(message.upload_id, owner=owner) if message.upload_id else self._writer
        if writer is None:
            raise InvalidInput(NOTHING_BEGUN)
        with _named(writer.file.upload.id):
            chunk = writer.write(frames.frame(message, payload))
        return (writer, chunk) if chunk else None

    def store(self, batch: Sequence[WrittenChunk]) -> Iterator[tuple[Upload, Chunk]]:
        """Make chunks durable; each is given when it may be acknowledged."""
        stored = self._upload_service.store_all(batch)
        for writer, chunk in batch:
            with _named(writer.file.upload.id):
                upload = next(stored)
            yield upload, chunk
        with self._lock:
            for upload_id, (writer, stack) in list(self._open.items()):
                if writer is not self._writer and writer.file.upload.completed:
                    del self._open[upload_id]
                    stack.close()

    def _switched(self, upload_id: str, *, owner: str) -> UploadWriter:
        with self._lock:
            if self._left:  # a writer that began now would end with nothing, and supersede who comes next
                raise Cancelled("the stream has ended")
            opened = self._open.get(upload_id)
            if opened is None:
                if len(self._open) >= MOST_OPEN:
                    raise InvalidInput(f"one stream carries {MOST_OPEN} unfinished uploads at most")
                with _named(upload_id), ExitStack() as stack:
                    writer = stack.enter_context(self._upload_service.writer(upload_id, owner=owner))
                    opened = self._open[upload_id] = writer, stack.pop_all()
            self._writer = opened[0]
            return self._writer


@contextmanager
def _named(upload_id: str) -> Iterator[None]:
    """Say which upload of the stream a refusal is about."""
    try:
        yield
    except FacecliError as error:
        error.details["upload_id"] = upload_id
        raise
