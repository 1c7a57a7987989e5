"""Uploads by offset, for clients that know no chunks: any number of bytes at a time.

Theory of operation. Whole chunks go through an upload session, as those of every other transport. What
remains after the last whole chunk is committed as the tail of the upload. An offset that was answered is
therefore durable, wherever it is: chunks are flushed and committed, and the tail is committed after them.
The next bytes continue behind the tail, which is written first, as the beginning of its chunk.
"""

import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from facecli.api.admission import Slot
from facecli.api.call_context import CallContext
from facecli.api.in_order_session import next_missing
from facecli.api.stream_deadline import StreamLimits
from facecli.api.upload_pipeline import ConnectionLost, UploadPipeline
from facecli.api.upload_session import UploadFrame, UploadSession
from facecli.core.errors import FileTooLarge, InvalidInput
from facecli.uploads.committer import WrittenChunk
from facecli.uploads.service import UploadService
from facecli.uploads.tails import MAX_TAIL_CHUNK, Tail, TailRepository
from facecli.uploads.upload import FRAME_SIZE, MAX_CHUNKS, Frame, NewUpload, Upload

CHUNK_SIZE = 4 * 1024 * 1024  # bytes, unless the blob store needs more


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredUpload:
    """An upload and the number of bytes from its beginning that are durable: `offset`."""

    upload: Upload
    offset: int
    tail: bytes = b""  # the last of these bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """The bytes that a client sends. `first` is the largest size in bytes of the first part."""

    parts: Iterable[bytes]
    first: int = FRAME_SIZE


class OffsetUploads:
    """Begins, finds and continues uploads."""

    def __init__(self, upload_service: UploadService, tails: TailRepository, limits: StreamLimits) -> None:
        self._upload_service = upload_service
        self._tails = tails
        self._limits = limits

    def begin(self, *, owner: str, name: str, file_type: str, size: int | None) -> StoredUpload:
        """A new upload; without a size its quota is that of the largest file."""
        largest = self._upload_service.largest_file(owner)
        chunk_size = max(CHUNK_SIZE, self._upload_service.min_chunk_size)
        new = NewUpload.checked(
            owner=owner,
            name=name,
            file_type=file_type,
            size=size,
            chunk_size=chunk_size,
            total_chunks=min(max(1, largest // chunk_size), MAX_CHUNKS) if size is None else None,
        )
        return StoredUpload(upload=self._upload_service.begin(new, fresh=True)[0], offset=0)

    def find(self, upload_id: str, *, owner: str) -> StoredUpload:
        """The upload as it is once all that was received is stored; UploadNotFound."""
        upload, chunks = self._upload_service.resume(upload_id, owner=owner)
        if upload.completed:
            return StoredUpload(upload=upload, offset=upload.stored_bytes)
        offset = next_missing(chunks) * upload.chunk_size
        tail = self._tails.get(upload_id)
        if tail is None or tail.offset != offset:
            return StoredUpload(upload=upload, offset=offset)
        return StoredUpload(upload=upload, offset=offset + len(tail.data), tail=tail.data)

    def fix_size(self, stored: StoredUpload, size: int) -> StoredUpload:
        """The upload with this size, which it did not have before; InvalidInput when it has more bytes."""
        upload = stored.upload
        if upload.size is None and size < stored.offset:
            raise InvalidInput(f"{upload.name} has {stored.offset} bytes already, not {size}")
        self._upload_service.fix_size(upload.id, owner=upload.owner, size=size)
        return replace(stored, upload=self._upload_service.get(upload.id, owner=upload.owner))

    def append(self, call: CallContext, stored: StoredUpload, body: Body, slot: Slot) -> StoredUpload:
        """Store a body behind the stored bytes; the state afterwards, also when the client is gone.

        FileTooLarge when it goes beyond the end of the file, with nothing stored of the chunk that does.
        """
        upload, cutter = stored.upload, ChunkCutter(stored, body.parts)
        with UploadSession(self._upload_service, call) as session:
            self._run(call, session, cutter, upload, slot, first=body.first)
            self._keep_rest(session, cutter, stored)
        after = self.find(upload.id, owner=upload.owner)
        if cutter.received and after.offset == stored.offset:
            raise InvalidInput(f"send at least {upload.chunk_size} bytes of {upload.name} at once")
        return after

    def _run(
        self,
        call: CallContext,
        session: UploadSession,
        cutter: "ChunkCutter",
        upload: Upload,
        slot: Slot,
        *,
        first: int,
    ) -> None:
        """Store the whole chunks of a body; returns when it ends, or the connection does."""

        def write(item: "FrameItem") -> WrittenChunk | None:
            return session.write(UploadFrame(upload_id=upload.id, user="", frame=item.frame))

        pipeline = UploadPipeline(
            iter(cutter),
            write,
            limits=self._limits,
            active=call.active,
            sending=session.sending,
            first=first,
            slot=slot,
            stages=session.stages,
        )
        try:
            for _, chunk in pipeline.run(session.store):
                cutter.stored_to += chunk.size  # in any order: without a gap once all are stored
        except ConnectionLost:
            pass

    def _keep_rest(self, session: UploadSession, cutter: "ChunkCutter", before: StoredUpload) -> None:
        """Commit the bytes behind the last whole chunk, if that is stored."""
        upload, rest = before.upload, cutter.rest()
        if upload.chunk_size > MAX_TAIL_CHUNK or rest.offset != cutter.stored_to or not session.begun:
            return
        if rest.data and rest.offset + len(rest.data) > before.offset:
            self._tails.put(upload.id, rest, epoch=session.epoch)
            session.settle(len(rest.data))
        elif before.tail and not rest.data:
            self._tails.delete(upload.id)


class FrameItem:
    """A frame whose length is its size in bytes."""

    def __init__(self, frame: Frame) -> None:
        self.frame = frame

    def __len__(self) -> int:
        return len(self.frame.data)


class ChunkCutter:
    """Iterates over the frames of a tail and a body. Any thread may ask for the rest.

    `stored_to` is the end of the stored chunks if none between them is missing, and `received` the number of
    bytes of the body.
    """

    def __init__(self, stored: StoredUpload, parts: Iterable[bytes]) -> None:
        self._upload = stored.upload
        self._tail = stored.tail
        self._parts = parts
        self._end = stored.offset - len(stored.tail)  # of the frames so far
        self._rest = list[bytes]()  # of them, behind the last whole chunk
        self._lock = threading.Lock()
        self.stored_to = self._end
        self.received = 0

    def __iter__(self) -> Iterator[FrameItem]:
        yield from self._frames(self._tail)
        for part in self._parts:
            self.received += len(part)
            yield from self._frames(part)

    def rest(self) -> Tail:
        """The bytes behind the last whole chunk."""
        with self._lock:
            rest = b"".join(self._rest)
            return Tail(offset=self._end - len(rest), data=rest)

    def _frames(self, data: bytes) -> Iterator[FrameItem]:
        upload, left = self._upload, memoryview(data)
        while left:
            if upload.size is not None and self._end + len(left) > upload.size:
                raise FileTooLarge(f"{upload.name} has {upload.size} bytes, and the body goes beyond them")
            room = upload.chunk_size - self._end % upload.chunk_size
            piece = data if len(left) == len(data) <= room else bytes(left[:room])
            left = left[room:]
            offset = self._end
            with self._lock:
                self._end += len(piece)
                if upload.chunk_size <= MAX_TAIL_CHUNK:
                    self._rest.append(piece)
                if self._end % upload.chunk_size == 0 or self._end == upload.size:
                    self._rest.clear()
            yield FrameItem(Frame(offset=offset, data=piece))
