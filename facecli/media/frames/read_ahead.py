"""ReadAhead: the bytes of a pipe that were read before they were asked for."""

import os


class ReadAhead:
    """A buffer of `size` bytes, which the system fills and from which bytes are copied once."""

    def __init__(self, size: int) -> None:
        self._buffer = memoryview(bytearray(size))
        self._begin = self._end = 0

    def __len__(self) -> int:
        return self._end - self._begin

    @property
    def full(self) -> bool:
        return len(self) == len(self._buffer)

    def fill(self, descriptor: int) -> int | None:
        """Read what there is and fits; return the number of bytes, 0 at the end, None if none came yet."""
        if self._end == len(self._buffer) and self._begin:
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
