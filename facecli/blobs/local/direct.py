"""Sequential writes that bypass the page cache where the file system allows it.

Measured on 500 MiB with a flush every 10 MiB: 0.05 s of CPU instead of 0.25, and 0.25 s elapsed. Through
the page cache it took 0.2 s in recently used memory, and up to 1.2 s in fresh memory.
"""

import errno
import mmap
import os
from queue import Empty, SimpleQueue

from facecli.core.os_errors import translate_os_errors

BLOCK = 4096  # bytes; addresses, offsets and lengths of direct writes are multiples of it
BUFFER = 2 * 1024 * 1024  # bytes of one direct write
SMALL = 64 * 1024  # bytes; shorter runs are not worth a direct write
MAX_FREE_BUFFERS = 8  # a new buffer costs page faults


class Buffers:
    """A pool of memory that is aligned for direct writes."""

    def __init__(self) -> None:
        self._free: SimpleQueue[mmap.mmap] = SimpleQueue()

    def take(self) -> mmap.mmap:
        try:
            return self._free.get_nowait()
        except Empty:
            return mmap.mmap(-1, BUFFER)

    def give(self, buffer: mmap.mmap) -> None:
        if self._free.qsize() < MAX_FREE_BUFFERS:
            self._free.put(buffer)


class DirectRun:
    """A buffered sequential write: whole blocks go to `direct`, the remainder to `plain`.

    Both descriptors are of the same file; `direct` is -1 where the file system has no direct writes.
    """

    def __init__(self, key: str, offset: int, *, plain: int, direct: int, buffers: Buffers) -> None:
        self._key = key
        self._offset = offset  # of the first buffered byte
        self._plain = plain
        self._direct = direct if offset % BLOCK == 0 else -1
        self._buffers = buffers
        self._buffer = buffers.take() if self._direct >= 0 else None
        self._buffered = 0

    def write(self, data: bytes | memoryview) -> None:
        rest = memoryview(data)
        with translate_os_errors(self._key):
            if self._buffer is None:
                self._offset += self._put(self._plain, rest, self._offset)
                return
            while rest:
                count = min(len(rest), BUFFER - self._buffered)
                self._buffer[self._buffered : self._buffered + count] = rest[:count]
                self._buffered += count
                rest = rest[count:]
                if self._buffered == BUFFER:
                    self._spill()

    def end(self) -> None:
        """Write the rest of the buffer; it is durable after the next flush of the file."""
        with translate_os_errors(self._key):
            self._spill()
        self.drop()

    def drop(self) -> None:
        """Discard the buffer."""
        if self._buffer is not None:
            self._buffers.give(self._buffer)
            self._buffer = None

    def _spill(self) -> None:
        if self._buffer is None:
            return
        with memoryview(self._buffer) as buffered:
            blocks = self._buffered // BLOCK * BLOCK if self._buffered > SMALL else 0
            try:
                done = self._put(self._direct, buffered[:blocks], self._offset)
            except OSError as error:
                if error.errno != errno.EINVAL:
                    raise
                done = 0
            done += self._put(self._plain, buffered[done : self._buffered], self._offset + done)
        self._offset += done
        self._buffered = 0

    def _put(self, file: int, data: memoryview, offset: int) -> int:
        done = 0
        while done < len(data):
            done += os.pwrite(file, data[done:], offset + done)
        return done
