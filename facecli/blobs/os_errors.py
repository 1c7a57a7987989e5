"""What the operating system says of local files, in our words."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from facecli.core.blobs import RETRY_AFTER
from facecli.core.disk import FULL
from facecli.core.errors import DiskFull, FacecliError, FileTooLarge, StorageFailed


@contextmanager
def translate_os_errors(what: str) -> Iterator[None]:
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
