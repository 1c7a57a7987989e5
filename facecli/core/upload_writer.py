"""Frames in, checked chunks out: one open file shared by its writers, and one writer's place in it."""

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from facecli.core.blobs import BlobWriter
from facecli.core.checksums import crc32c
from facecli.core.errors import (
    AlreadyExists,
    ChecksumMismatch,
    ChunkDiffers,
    InvalidInput,
    NotFound,
    StorageFailed,
    TakenOver,
)
from facecli.core.uploads import Chunk, Frame, Upload


class OpenFile:
    """What the writers of one upload share: its stored chunks, and which chunk is being written now.

    Acknowledged bytes are never written over: other bytes for a stored chunk get a place behind the file's
    end, and the row decides which place counts. Once every chunk is stored the file is sealed: no byte of it
    changes any more.
    """

    def __init__(self, upload: Upload, blob: BlobWriter, chunks: Iterable[Chunk]) -> None:
        self.upload = upload
        self.blob = blob
        self.chunks = {chunk.index: chunk for chunk in chunks}
        self.broken = False  # after a failed flush or commit, what the disk or the row holds is not known
        self.users = 0
        self.writer: UploadWriter | None = None
        self.committing = threading.Lock()  # one flush, commit, take-over or completion at a time
        self._lock = threading.Condition()
        self._busy: set[int] = set()
        self._sealed = upload.completed
        self._home_end = upload.total_chunks * upload.chunk_size
        self._end = max(blob.size(), self._home_end)
        self._spare: set[int] = set()  # places behind the home of the last chunk: free ones
        self._lent: set[int] = set()  # and those being written

    def take(self, index: int) -> int | None:
        """Hold a chunk alone, waiting for who has it; the position its bytes go to, None in a sealed file."""
        with self._lock:
            self._lock.wait_for(lambda: index not in self._busy)
            self._busy.add(index)
            if self._sealed:
                return None
            if index not in self.chunks:
                return index * self.upload.chunk_size
            if not self._spare:
                self._spare.add(self._end)
                self._end += self.upload.chunk_size
            position = self._spare.pop()
            self._lent.add(position)
            return position

    def release(self, index: int, position: int | None) -> None:
        """Let others have the chunk, and a place behind the end that was not used after all."""
        with self._lock:
            self._busy.discard(index)
            if position in self._lent:
                self._lent.discard(position)
                if self.chunks[index].position != position:
                    self._spare.add(position)
            self._lock.notify_all()

    def seal(self, size: int) -> bool:
        """Give no place to anybody any more; True when the blob now is the file, and stays it."""
        with self._lock:
            self._sealed = True
            chunk_size = self.upload.chunk_size
            if self._lent or any(
                chunk.position != index * chunk_size for index, chunk in self.chunks.items()
            ):
                return False
        if self.blob.size() != size:
            self.blob.truncate(size)
        return True

    def copy(self, chunks: Iterable[Chunk], target: BlobWriter) -> None:
        """Every chunk to its home in another blob, durably."""
        for chunk in chunks:
            target.write(chunk.index * self.upload.chunk_size, self.blob.read(chunk.position, chunk.size))
        target.flush()

    def flush(self) -> None:
        """Make what was written durable. After a failure nothing is, until the file was opened anew."""
        if self.broken:
            raise StorageFailed(f"storing {self.upload.name} failed; waiting for its writers to end")
        with self.unsure():
            self.blob.flush()

    @contextmanager
    def unsure(self) -> Iterator[None]:
        """Break the file when this ends with anything but a clear refusal."""
        try:
            yield
        except (AlreadyExists, InvalidInput, NotFound, TakenOver):
            raise
        except BaseException:
            self.broken = True
            raise


@dataclass(slots=True)
class _Cursor:
    index: int
    position: int | None
    received: int = 0
    crc32c: int = 0


class UploadWriter:
    """One stream's way through a file. `write` and `Inbox.store` may run in two threads.

    `epoch` is the writer's number; None for a single chunk, which supersedes nobody.
    """

    def __init__(self, file: OpenFile, *, epoch: int | None) -> None:
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
            if cursor.position is not None:
                self.file.blob.write(cursor.position + cursor.received, frame.data)
        cursor.crc32c = crc32c(frame.data, cursor.crc32c)
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
            self._cursor = None
            self._drop(cursor.index)
        self.check()
        # Waits also for a chunk of our own that another thread is storing just now.
        position = self.file.take(index)
        with self._lock:
            self._held[index] = position
            revoked = self._revoked
        if revoked:
            self._drop(index)
            self._check()
        self._cursor = _Cursor(index=index, position=position)
        return self._cursor

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
