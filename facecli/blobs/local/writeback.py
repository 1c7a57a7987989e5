"""sync_file_range(2), which Python's os module does not have."""

import ctypes
import os
from functools import cache
from typing import Any

_WRITE = 0x02  # linux/fs.h: start to write dirty pages, and wait for none


def start_writeback(file: int, offset: int, length: int) -> None:
    """Have the kernel write a range of an open file to the disk; does not wait, and promises nothing.

    A failure is left to the next flush, which reports it.
    """
    function = _sync_file_range()
    if function is not None:
        function(file, offset, length, _WRITE)


@cache
def _sync_file_range() -> Any:
    """The function of the C library; None where it has none."""
    function = getattr(ctypes.CDLL(None, use_errno=True), "sync_file_range", None)
    if function is not None:
        function.argtypes = [ctypes.c_int, ctypes.c_int64, ctypes.c_int64, ctypes.c_uint]
    return function


def drop_cached(file: int) -> None:
    """Remove the clean pages of a whole file from the page cache: of a range, some may stay."""
    os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
