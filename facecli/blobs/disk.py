"""What the operating system is asked for by every kind of local file, and its errors in our words."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from facecli.core.blobs import RETRY_AFTER
from facecli.core.errors import DiskFull, FacecliError, FileTooLarge, StorageFailed

FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


def sync_directory(directory: Path) -> None:
    file = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(file)
    finally:
        os.close(file)


@contextmanager
def ours(what: str) -> Iterator[None]:
    """Turn what the operating system says into our errors."""
    try:
        yield
    except OSError as error:
        raise _error(what, error) from error


def _error(what: str, error: OSError) -> FacecliError:
    if error.errno in FULL:
        return DiskFull(
            f"no room for {what} ({error.strerror}); what was acknowledged is kept", retry_after=RETRY_AFTER
        )
    if error.errno == errno.EFBIG:
        return FileTooLarge(
            f"{what} grows beyond what the file system or the process's limit (ulimit -f) allows"
        )
    return StorageFailed(f"{what} cannot be read or written: {error.strerror or error}; is the disk well?")
