"""A sequential write through the page cache, whose bytes are on their way to the disk before the flush."""

import os

from facecli.blobs.local.writeback import start_writeback
from facecli.core.os_errors import translate_os_errors

EARLY = 2 * 1024 * 1024  # bytes that are written before the disk begins with them


class SequentialRun:
    """Writes to `file` from `position` on. With `early` the disk works while more bytes arrive."""

    def __init__(self, key: str, position: int, *, file: int, early: bool) -> None:
        self._key = key
        self._file = file
        self._early = early
        self._end = self._begun = position  # of the written bytes, and of those that the disk has begun

    def write(self, data: bytes | memoryview) -> None:
        """Write all of `data`; DiskFull, FileTooLarge or StorageFailed."""
        rest = memoryview(data)
        with translate_os_errors(self._key):
            while rest:
                written = os.pwrite(self._file, rest, self._end)
                rest = rest[written:]
                self._end += written
        if self._end - self._begun >= EARLY:
            self._begin()

    def end(self) -> None:
        """Say that nothing follows; the bytes are durable after the next flush of the file."""
        self._begin()

    def _begin(self) -> None:
        if self._early and self._end > self._begun:
            start_writeback(self._file, self._begun, self._end - self._begun)
        self._begun = self._end
