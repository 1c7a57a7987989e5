"""Early writeback of sequential writes, and removal of flushed bytes from the page cache.

The flush at the end then waits for the last bytes only: a transfer takes as long as the slower of network and
disk, instead of the sum of both.

Measured on uploads of 500 MiB: 1.28 s; with O_DIRECT, one write at a time, and a commit a chunk 1.68 s.
"""

import os
from functools import cache
from typing import Any

EARLY = 2 * 1024 * 1024  # bytes written before their writeback starts
_WRITE = 0x02  # linux/fs.h: start to write dirty pages, and wait for none


class EarlyWriteback:
    """Starts writeback of the bytes written to `file` from `position` on, while more are written."""

    def __init__(self, file: int, position: int) -> None:
        self._file = file
        self._started = position  # the writeback of all bytes before it has started

    def written(self, end: int) -> None:
        """Record that the bytes before `end` are written."""
        if end - self._started >= EARLY:
            self.start(end)

    def start(self, end: int) -> None:
        """Start writeback of all bytes before `end`; the next flush reports a failure."""
        function = _sync_file_range()
        if function is not None and end > self._started:
            function(self._file, self._started, end - self._started, _WRITE)
        self._started = end


def drop_cached(file: int) -> None:
    """Remove the clean pages of a whole file from the page cache: of a range, some may stay."""
    os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)


@cache
def _sync_file_range() -> Any:
    """sync_file_range(2) of the C library, which the module os lacks; None where the library has none."""
    import ctypes  # takes 4 ms, which only writers pay

    function = getattr(ctypes.CDLL(None, use_errno=True), "sync_file_range", None)
    if function is not None:
        function.argtypes = [ctypes.c_int, ctypes.c_int64, ctypes.c_int64, ctypes.c_uint]
    return function
