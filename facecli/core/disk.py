"""What every file that has to survive a power cut asks of the operating system."""

import errno
import os
from pathlib import Path

FULL = frozenset({errno.ENOSPC, errno.EDQUOT})  # what it says when there is no room


def flush(path: Path) -> None:
    """From here on a power cut leaves the file its bytes, or the directory its names."""
    file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(file)
    finally:
        os.close(file)
