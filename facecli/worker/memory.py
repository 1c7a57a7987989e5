"""Malloc settings that return the memory of large buffers, such as frames, when they are freed."""

import ctypes

_MMAP_THRESHOLD, _ARENA_MAX = -3, -8  # malloc.h of glibc
_LARGE_BYTES = 256 * 1024


def return_freed_memory() -> None:
    """Stop glibc from keeping freed buffers of every size, and an arena for every thread.

    Each task runs in other threads: a worker grew by 15 MB with each of the first tasks at 1080p.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_MMAP_THRESHOLD, _LARGE_BYTES)
        mallopt(_ARENA_MAX, 1)
