"""Asks the C library to keep the memory of messages for the next messages."""

import ctypes

_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8  # malloc.h of glibc
_KEPT = 64 * 1024 * 1024  # bytes


def keep_freed_memory() -> None:
    """Without it every message of an upload is mapped, faulted in and unmapped again.

    Measured on 500 MiB: 67,000 page faults become 300, and half of the server's system time goes.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_MMAP_THRESHOLD, _KEPT // 2)  # 32 MiB is the highest that glibc takes
        mallopt(_TRIM_THRESHOLD, _KEPT)
        mallopt(_ARENA_MAX, 1)
