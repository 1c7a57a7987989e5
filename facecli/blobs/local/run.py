"""A sequential write through the page cache, with early writeback."""

import os

from facecli.core.os_errors import translate_os_errors
from facecli.core.writeback import EarlyWriteback


class SequentialRun:
    """Writes to `file` from `position` on. With `early`, writeback starts while more bytes arrive."""

    def __init__(self, key: str, position: int, *, file: int, early: bool) -> None:
        self._key = key
        self._file = file
        self._end = position
        self._writeback = EarlyWriteback(file, position) if early else None

    def write(self, data: bytes | memoryview) -> None:
        """Write all of `data`; DiskFull, FileTooLarge or StorageFailed."""
        rest = memoryview(data)
        with translate_os_errors(self._key):
            while rest:
                written = os.pwrite(self._file, rest, self._end)
                rest = rest[written:]
                self._end += written
        if self._writeback:
            self._writeback.written(self._end)

    def end(self) -> None:
        """End the write; the bytes are durable after the next flush of the file."""
        if self._writeback:
            self._writeback.start(self._end)
