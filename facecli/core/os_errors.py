"""Translation of operating system errors on local files."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from facecli.core.blobs import RETRY_AFTER
from facecli.core.disk import FULL
from facecli.core.errors import DiskFull, FacecliError, FileTooLarge, StorageFailed


@contextmanager
def translate_os_errors(path: str) -> Iterator[None]:
    """Raise DiskFull, FileTooLarge or StorageFailed for an OSError; `path` names the file or blob."""
    try:
        yield
    except OSError as error:
        raise _error(path, error) from error


def _error(path: str, error: OSError) -> FacecliError:
    if error.errno in FULL:
        return DiskFull(
            f"no room for {path} ({error.strerror}); acknowledged bytes are safe", retry_after=RETRY_AFTER
        )
    if error.errno == errno.EFBIG:
        return FileTooLarge(
            f"{path} grows beyond what the file system or the process's limit (ulimit -f) allows"
        )
    return StorageFailed(f"{path} cannot be read or written: {error.strerror or error}; check the disk")
