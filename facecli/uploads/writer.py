"""Frames in, checked chunks out: one writer's way through a file."""

import threading
from dataclasses import dataclass

from facecli.core.blobs import BlobRun
from facecli.core.checksums import append, crc32c
from facecli.core.errors import ChecksumMismatch, ChunkDiffers, InvalidInput, TakenOver
from facecli.uploads.open_upload import OpenUpload
from facecli.uploads.upload import Chunk, Frame


@dataclass(slots=True)
class _Cursor:
    index: int
    position: int | None
    run: BlobRun | None
    received: int = 0
    crc32c: int = 0


class UploadWriter:
    """One stream's way through a file. `write` and `UploadService.store` may run in two threads.

    `epoch` is the writer's number; None for a single chunk, which supersedes nobody.
    """

    def __init__(self, file: OpenUpload, *, epoch: int | None) -> None:
        self.file = file
        self.epoch = epoch
        self._cursor: _Cursor | None = None
        self._held: dict[int, int | None] = {}  # chunk → the position it was given
        self._lock = threading.Lock()
        self._revoked = False

    def write(self, frame: Frame) -> Chunk | None:
        """Write one frame; the chunk when this frame finished it, else None.

        InvalidInput for a frame out of place, ChecksumMismatch for a damaged chunk, ChunkDiffers for other
        bytes in a complete upload, TakenOver after `revoke`.
        """
        cursor = self._cursor_at(frame.offset)
        upload = self.file.upload
        length = upload.chunk_length(cursor.index)
        end = cursor.received + len(frame.data)
        done = end == length or (length is None and frame.ends_chunk)
        if not frame.data or end > (length or upload.chunk_size) or (frame.ends_chunk and not done):
            raise InvalidInput(
                f"{len(frame.data)} bytes at {frame.offset} do not fit chunk {cursor.index} "
                f"of {upload.name}, which has {length or upload.chunk_size}"
            )
        with self._lock:
            self._check()
            if cursor.run:
                cursor.run.write(frame.data)
                if done:
                    cursor.run.end()
        own = crc32c(bytes(frame.data)) if frame.crc32c is None else frame.crc32c
        cursor.crc32c = append(cursor.crc32c, own, len(frame.data))
        cursor.received = end
        return self._finished(cursor, frame.chunk_crc32c) if done else None

    def check(self) -> None:
        """TakenOver after `revoke`."""
        with self._lock:
            self._check()

    def stored(self, chunk: Chunk) -> None:
        """The chunk's row is committed: others may write this chunk again."""
        self.file.chunks[chunk.index] = chunk
        self._drop(chunk.index)

    def revoke(self) -> None:
        """Let this writer write nothing more; when this returns, no write of it is under way."""
        with self._lock:
            self._revoked = True
        for index in list(self._held):
            self._drop(index)

    def _cursor_at(self, offset: int) -> _Cursor:
        chunk_size = self.file.upload.chunk_size
        cursor = self._cursor
        if cursor and offset == cursor.index * chunk_size + cursor.received:
            return cursor
        if offset < 0 or offset % chunk_size:
            raise InvalidInput(
                f"offset {offset} of {self.file.upload.name} neither goes on where the last frame ended "
                f"nor begins a chunk of {chunk_size} bytes"
            )
        index = offset // chunk_size
        self.file.upload.chunk_length(index)
        if cursor:
            self._leave(cursor)
        self.check()
        # Waits also for a chunk of our own that another thread is storing just now.
        position = self.file.take(index)
        with self._lock:
            self._held[index] = position
            revoked = self._revoked
        if revoked:
            self._drop(index)
            self._check()
        run = None if position is None else self.file.blob.run(position)
        self._cursor = _Cursor(index=index, position=position, run=run)
        return self._cursor

    def _leave(self, cursor: _Cursor) -> None:
        """Give up a chunk that is not finished."""
        self._cursor = None
        if cursor.run:
            cursor.run.drop()
        self._drop(cursor.index)

    def _finished(self, cursor: _Cursor, promised: int | None) -> Chunk:
        self._cursor = None
        name, index = self.file.upload.name, cursor.index
        if promised is not None and promised != cursor.crc32c:
            self._drop(index)
            raise ChecksumMismatch(
                f"chunk {index} of {name} arrived with crc32c {cursor.crc32c:08x}, not {promised:08x}; "
                "nothing of it was kept, send it again"
            )
        stored = self.file.chunks.get(index)
        if stored and (stored.size, stored.crc32c) == (cursor.received, cursor.crc32c):
            return stored
        if cursor.position is None:
            self._drop(index)
            raise ChunkDiffers(f"{name} is complete and its chunk {index} holds other bytes")
        self.file.written(index)
        return Chunk(index=index, size=cursor.received, crc32c=cursor.crc32c, position=cursor.position)

    def _drop(self, index: int) -> None:
        try:
            position = self._held.pop(index)
        except KeyError:
            return
        self.file.release(index, position)

    def _check(self) -> None:
        if self._revoked:
            raise TakenOver(f"another writer continues the upload of {self.file.upload.name}")
