"""Exclusive lock on a file, released when the process ends."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from facecli.core.errors import DirectoryInUse, InvalidInput


@contextmanager
def locked(path: Path, *, taken: str) -> Iterator[None]:
    """Create and lock the file.

    DirectoryInUse with the text `taken` if another process holds it, InvalidInput if it cannot be created.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise InvalidInput(f"cannot use the directory {path.parent}: {error.strerror}") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(descriptor)
        raise DirectoryInUse(taken) from error
    try:
        yield
    finally:
        os.close(descriptor)
