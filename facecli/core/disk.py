"""Durability of files and directories on local disks."""

import errno
import os
from pathlib import Path

FULL = frozenset({errno.ENOSPC, errno.EDQUOT})  # error numbers of a full disk


def flush(path: Path) -> None:
    """Make the bytes of a file, or the names in a directory, survive a power cut."""
    file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(file)
    finally:
        os.close(file)
