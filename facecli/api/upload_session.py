"""Sans-IO upload session: decoded frames in, written chunks and acknowledgements out.

Theory of operation: a transport decodes its messages into UploadFrame and feeds them to `write`. The
session routes each frame to the writer of its upload, which it opens on the first frame; opening it claims
the next epoch and revokes the writer of an older stream (fencing). A frame that finishes a chunk yields a
WrittenChunk. The transport collects these and passes them to `store` in batches; each acknowledgement that
comes back may be sent, because its chunk is flushed and committed. The session starts no thread and performs
no network I/O. `write` and `store` may run in two threads. After the session is closed no writer is opened
any more, so a late frame cannot fence off the stream of a client that came back.
"""

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from facecli.api.call_context import CallContext
from facecli.core.errors import Cancelled, FacecliError, InvalidInput
from facecli.core.events import ChunkAcknowledged
from facecli.uploads.committer import WrittenChunk
from facecli.uploads.service import UploadService
from facecli.uploads.stage_times import ChunkTimes, StageClock
from facecli.uploads.upload import Chunk, Frame, Upload
from facecli.uploads.writer import UploadWriter

MAX_OPEN_UPLOADS = 64  # unfinished uploads of one stream
NO_UPLOAD_ID = "the first message of StreamUpload names the upload_id from BeginUpload"

Acknowledgement = tuple[Upload, Chunk]


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadFrame:
    """A frame as a client sent it. An empty `upload_id` continues the current upload."""

    upload_id: str
    user: str  # as claimed
    frame: Frame


class UploadSession:
    """The uploads of one stream. A writer is closed with its complete upload, or with the session."""

    def __init__(self, upload_service: UploadService, call: CallContext) -> None:
        self._upload_service = upload_service
        self._call = call
        self.stages = StageClock(on_chunk=self._publish_times)
        self._writer: UploadWriter | None = None  # of the current upload
        self._open: dict[str, tuple[UploadWriter, ExitStack]] = {}
        self._closed = False
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._lock:
            self._closed = True
            for _, stack in self._open.values():
                stack.close()

    @property
    def begun(self) -> bool:
        return self._writer is not None

    def write(self, received: UploadFrame) -> WrittenChunk | None:
        """Write a frame; the chunk when the frame finished it. An upload_id switches to that upload."""
        self._call.concerns("upload", received.upload_id)
        owner = self._call.user(received.user)
        writer = self._switch(received.upload_id, owner=owner) if received.upload_id else self._writer
        if writer is None:
            raise InvalidInput(NO_UPLOAD_ID)
        return self._write(writer, received.frame)

    def put_chunk(self, received: UploadFrame) -> Upload:
        """Store one whole chunk in any order, beside other writers and without fencing them off."""
        self._call.concerns("upload", received.upload_id)
        owner = self._call.user(received.user)
        return self._upload_service.put_chunk(received.upload_id, received.frame, owner=owner)

    def sending(self, written: WrittenChunk) -> Future[None] | None:
        """The request on which `store` would wait for this chunk, where there is one."""
        writer, chunk = written
        return writer.sending(chunk.index)

    @property
    def epoch(self) -> int | None:
        """The fencing token of the current upload's writer; None before the first frame."""
        return self._writer.epoch if self._writer else None

    def store(self, batch: Sequence[WrittenChunk]) -> Iterator[Acknowledgement]:
        """Make chunks durable; each is yielded once it may be acknowledged."""
        stages = self.stages
        before = stages.flush, stages.commit
        stored = self._upload_service.store_all(batch, stages)
        for index, (writer, chunk) in enumerate(batch):
            with self._naming(writer.file.upload.id):
                upload = next(stored)
            if not index:  # all of them are stored now
                self._trace_batch(flush=stages.flush - before[0], commit=stages.commit - before[1])
            yield upload, chunk
        with self._lock:
            for upload_id, (writer, stack) in list(self._open.items()):
                if writer is not self._writer and writer.file.upload.completed:
                    del self._open[upload_id]
                    stack.close()

    def settle(self, size: int) -> None:
        """Count bytes of the current upload as durable that belong to no stored chunk."""
        if self._writer:
            self._writer.settle(size)

    def _publish_times(self, times: ChunkTimes) -> None:
        acknowledged = ChunkAcknowledged(
            receive=times.receive, write=times.write, send=times.send, acknowledge=times.acknowledge
        )
        self._upload_service.publish(acknowledged)
        now, span = self.stages.now(), self._call.span
        arrived = now - times.acknowledge  # the last frame of the chunk
        span.part("receive", began=arrived - times.receive, ended=arrived)
        span.part("write", began=arrived, ended=min(now, arrived + times.write))
        if times.send is not None:
            span.part("send", began=arrived, ended=min(now, arrived + times.send))

    def _trace_batch(self, *, flush: float, commit: float) -> None:
        ended = self.stages.now()
        flushed = ended - commit
        self._call.span.part("flush", began=flushed - flush, ended=flushed)
        self._call.span.part("commit", began=flushed, ended=ended)

    def _write(self, writer: UploadWriter, frame: Frame) -> WrittenChunk | None:
        with self._naming(writer.file.upload.id):
            chunk = writer.write(frame)
        return (writer, chunk) if chunk else None

    def _switch(self, upload_id: str, *, owner: str) -> UploadWriter:
        with self._lock:
            self._check_open()
            return self._enter(upload_id, owner=owner)

    def _check_open(self) -> None:
        """Cancelled after the session was closed. Needs the lock."""
        if self._closed:
            raise Cancelled("the stream has ended")

    def _enter(self, upload_id: str, *, owner: str) -> UploadWriter:
        """Make this the current upload. Needs the lock."""
        opened = self._open.get(upload_id)
        if opened is None:
            if len(self._open) >= MAX_OPEN_UPLOADS:
                raise InvalidInput(f"one stream carries at most {MAX_OPEN_UPLOADS} unfinished uploads")
            with self._naming(upload_id), ExitStack() as stack:
                writer = stack.enter_context(self._upload_service.writer(upload_id, owner=owner))
                opened = self._open[upload_id] = writer, stack.pop_all()
        self._writer = opened[0]
        return self._writer

    def _naming(self, upload_id: str) -> AbstractContextManager[None]:
        """Name the upload in a refusal, because the stream may carry several."""
        return _named(upload_id)


@contextmanager
def _named(upload_id: str) -> Iterator[None]:
    try:
        yield
    except FacecliError as error:
        error.details["upload_id"] = upload_id
        raise
