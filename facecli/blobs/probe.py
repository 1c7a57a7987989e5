"""Probes a data directory while a server runs: present, the same, writable, not full."""

import os
from pathlib import Path

from facecli.blobs.identity import identity
from facecli.core.blobs import RETRY_AFTER
from facecli.core.errors import DiskFull, FacecliError, StorageFailed
from facecli.core.os_errors import translate_os_errors

FILE = "directory.probe"
MIN_FREE_BYTES = 16 * 1024 * 1024  # one chunk of the largest size; with less, no upload gets far


class DirectoryProbe:
    """Compares a data directory with what it was when the server started."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory.absolute()
        self._identity = _inode(self._directory)
        self._id = identity(self._directory)

    def check(self) -> None:
        """StorageFailed if the directory is gone, another one or not writable, DiskFull if it is full."""
        try:
            same = _inode(self._directory) == self._identity and identity(self._directory) == self._id
        except (OSError, FacecliError):
            same = False
        if not same:
            raise StorageFailed(
                f"the data directory {self._directory} is gone or another one; put it back, or restart the "
                "server"
            )
        file = self._directory / FILE
        with translate_os_errors(str(file)):
            descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
            try:
                os.write(descriptor, b"written by the health check\n")
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
            space = os.statvfs(self._directory)
        if (free := space.f_bavail * space.f_frsize) < MIN_FREE_BYTES:
            raise DiskFull(f"only {free} bytes are free for {self._directory}", retry_after=RETRY_AFTER)


def _inode(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_dev, found.st_ino
