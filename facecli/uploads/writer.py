"""The writer of an upload: turns a sequence of frames into verified chunks.

Fencing: the epoch of a writer is its fencing token. A superseded writer is revoked, and the database refuses
its chunks, because their epoch is not the newest.
"""

import threading
from concurrent.futures import Future
from dataclasses import dataclass

from facecli.core.blobs import PartWriter
from facecli.core.checksums import append, crc32c
from facecli.core.errors import ChecksumMismatch, ChunkDiffers, InvalidInput, TakenOver
from facecli.uploads.open_upload import OpenUpload
from facecli.uploads.upload import Chunk, Frame


@dataclass(slots=True)
class _Cursor:
    """The chunk being received. `part` is None where bytes are only compared with the stored ones."""

    index: int
    part: PartWriter | None
    received: int = 0  # bytes
    crc32c: int = 0


class UploadWriter:
    """One stream of frames into an upload. One thread may `write` while another commits.

    `epoch` is None for a single chunk, which supersedes no other writer.
    """

    def __init__(self, file: OpenUpload, *, epoch: int | None) -> None:
        self.file = file
        self.epoch = epoch
        self._cursor: _Cursor | None = None
        self._held: dict[int, PartWriter | None] = {}  # by chunk
        self._lock = threading.Lock()
        self._revoked = False
        self._received = 0  # bytes
        self._settled = 0  # of these, durable

    @property
    def unsettled(self) -> int:
        """Bytes that were received and are not durable, at least not through this writer."""
        return self._received - self._settled

    def settle(self, size: int) -> None:
        """Count received bytes as durable; only the thread that commits calls this."""
        self._settled += size

    def write(self, frame: Frame) -> Chunk | None:
        """Write one frame; return the chunk that it finishes, if any.

        InvalidInput for a frame at a wrong offset, ChecksumMismatch for a damaged chunk, ChunkDiffers for
        other bytes in a complete upload, QuotaReached for other bytes without room for a second version,
        TakenOver after `revoke`.
        """
        cursor = self._cursor_at(frame.offset)
        upload = self.file.upload
        length = upload.chunk_length(cursor.index)
        end = cursor.received + len(frame.data)
        is_last = end == length or (length is None and frame.ends_chunk)
        if not frame.data or end > (length or upload.chunk_size) or (frame.ends_chunk and not is_last):
            raise InvalidInput(
                f"{len(frame.data)} bytes at {frame.offset} do not fit chunk {cursor.index} "
                f"of {upload.name}, which has {length or upload.chunk_size}"
            )
        with self._lock:
            self._check()
            if cursor.part:
                cursor.part.write(frame.data)
        checksum = crc32c(bytes(frame.data)) if frame.crc32c is None else frame.crc32c
        cursor.crc32c = append(cursor.crc32c, checksum, len(frame.data))
        cursor.received = end
        self._received += len(frame.data)
        return self._finished(cursor, frame.chunk_crc32c) if is_last else None

    def check(self) -> None:
        """Raise TakenOver after `revoke`."""
        with self._lock:
            self._check()

    def sending(self, index: int) -> "Future[None] | None":
        """The request that carries a chunk held by this writer to the blob store, where there is one."""
        part = self._held.get(index)
        return part.sending if part else None

    def check_sent(self, index: int) -> None:
        """Raise the error of a chunk that could not be sent. No row refers to it: all else is intact."""
        if sending := self.sending(index):
            try:
                sending.result()
            finally:
                del sending  # the error names this frame, and must not be held by it

    def release(self, index: int) -> None:
        """Stop holding a chunk, stored or abandoned; harmless when it is not held."""
        try:
            part = self._held.pop(index)
        except KeyError:
            return
        self.file.release(index, part)

    def revoke(self) -> None:
        """Stop this writer for good; on return, none of its writes is in progress."""
        with self._lock:
            self._revoked = True
        for index in list(self._held):
            self.release(index)

    def _cursor_at(self, offset: int) -> _Cursor:
        chunk_size = self.file.upload.chunk_size
        cursor = self._cursor
        if cursor and offset == cursor.index * chunk_size + cursor.received:
            return cursor
        if offset < 0 or offset % chunk_size:
            raise InvalidInput(
                f"offset {offset} of {self.file.upload.name} neither continues the last frame "
                f"nor begins a chunk of {chunk_size} bytes"
            )
        index = offset // chunk_size
        self.file.upload.chunk_length(index)
        if cursor:
            self._cursor = None
            self.release(cursor.index)
        self.check()
        self._cursor = _Cursor(index=index, part=self._take(index))
        return self._cursor

    def _take(self, index: int) -> PartWriter | None:
        """Hold a chunk; waits even for this writer's own, while another thread commits it."""
        part = self.file.take(index)
        with self._lock:
            self._held[index] = part
            revoked = self._revoked
        if revoked:
            self.release(index)
            self._check()
        return part

    def _finished(self, cursor: _Cursor, expected: int | None) -> Chunk:
        self._cursor = None
        name, index = self.file.upload.name, cursor.index
        if expected is not None and expected != cursor.crc32c:
            self.release(index)
            raise ChecksumMismatch(
                f"chunk {index} of {name} arrived with crc32c {cursor.crc32c:08x}, not {expected:08x}; "
                "it was discarded, send it again"
            )
        stored = self.file.chunks.get(index)
        if stored and (stored.size, stored.crc32c) == (cursor.received, cursor.crc32c):
            return stored
        if cursor.part:
            cursor.part.reserve()  # without the lock: commits and takeovers need not wait for it
        with self._lock:
            self._check()
            token = cursor.part.finish() if cursor.part else None
        if token is None:
            self.release(index)
            if cursor.part is None and not self.file.upload.completed:
                raise self.file.no_room(index)
            raise ChunkDiffers(f"{name} is complete and its chunk {index} holds other bytes")
        self.file.mark_received(index)
        return Chunk(index=index, size=cursor.received, crc32c=cursor.crc32c, token=token)

    def _check(self) -> None:
        if self._revoked:
            raise TakenOver(f"another writer continues the upload of {self.file.upload.name}")
