"""fallocate(2) with FALLOC_FL_PUNCH_HOLE, which Python's os module does not have."""

import ctypes
import errno
import os
from functools import cache
from typing import Any

_KEEP_SIZE, _PUNCH_HOLE = 0x01, 0x02  # linux/falloc.h
_UNSUPPORTED = frozenset({errno.EOPNOTSUPP, errno.ENOSYS, errno.ENODEV})


def punch_hole(file: int, offset: int, length: int) -> bool:
    """Free the blocks of a range of an open file, which then reads as zeros and keeps its size.

    False where the file system cannot; OSError for other failures.
    """
    fallocate = _fallocate()
    if fallocate is None:
        return False
    while fallocate(file, _PUNCH_HOLE | _KEEP_SIZE, offset, length):
        code = ctypes.get_errno()
        if code in _UNSUPPORTED:
            return False
        if code != errno.EINTR:
            raise OSError(code, os.strerror(code))
    return True


@cache
def _fallocate() -> Any:
    """The function of the C library; None where it has none."""
    library = ctypes.CDLL(None, use_errno=True)
    function = getattr(library, "fallocate64", None) or getattr(library, "fallocate", None)
    if function is not None:
        function.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_int64, ctypes.c_int64]
    return function
