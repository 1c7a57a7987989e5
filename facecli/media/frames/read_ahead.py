"""ReadAhead: the bytes of a pipe that were read before they were asked for."""

import os

FIRST_BYTES = 64 * 1024


class ReadAhead:
    """A buffer that grows up to `size` bytes, which the system fills and from which bytes are copied once."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._buffer = memoryview(bytearray(min(size, FIRST_BYTES)))
        self._begin = self._end = 0

    def __len__(self) -> int:
        return self._end - self._begin

    @property
    def full(self) -> bool:
        return len(self) == self._size

    def fill(self, descriptor: int) -> int | None:
        """Read what there is and fits; return the number of bytes, 0 at the end, None if none came yet."""
        if len(self) == len(self._buffer) < self._size:
            grown = memoryview(bytearray(min(self._size, 4 * len(self))))
            grown[: len(self)] = self._buffer[self._begin : self._end]
            self._buffer, self._begin, self._end = grown, 0, len(self)
        elif self._end == len(self._buffer) and self._begin:
            self._buffer[: len(self)] = bytes(self._buffer[self._begin : self._end])
            self._begin, self._end = 0, len(self)
        try:
            read = os.readv(descriptor, [self._buffer[self._end :]])
        except BlockingIOError:
            return None
        self._end += read
        return read

    def take(self, target: memoryview) -> int:
        """Move bytes into a buffer; return how many there were."""
        count = min(len(target), len(self))
        target[:count] = self._buffer[self._begin : self._begin + count]
        self._begin += count
        if self._begin == self._end:
            self.clear()
        return count

    def clear(self) -> None:
        self._begin = self._end = 0
