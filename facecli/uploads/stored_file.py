"""StoredFile: the local copy of a complete upload, compared with its checksum before it is trusted."""

import errno
from collections.abc import Callable
from pathlib import Path

from facecli.core.blobs import present
from facecli.core.checksums import BLOCK, crc32c
from facecli.core.damage import StoredBytesDamaged
from facecli.core.errors import Cancelled, StorageFailed
from facecli.uploads.upload import Upload


class StoredFile:
    """A file that is read when it is first verified, and again whenever it was changed since."""

    def __init__(self, upload: Upload, path: Path) -> None:
        self.path = path
        self.upload = upload
        self._verified: tuple[int, ...] | None = None  # state of the file whose bytes were right

    def verify(self, stopped: Callable[[], bool], *, reread: bool = False) -> None:
        """StoredBytesDamaged unless the file has the bytes that were uploaded; Cancelled when `stopped`.

        `reread` reads a file that looks unchanged, too.
        """
        name = self.upload.name
        with present(name):
            try:
                state = self.state()
                if state == self._verified and not reread:
                    return
                found = self._read(stopped)
            except FileNotFoundError:
                raise
            except OSError as error:
                if error.errno != errno.EIO:
                    raise StorageFailed(f"{name} cannot be read: {error.strerror}") from error
                found = None
        if found != (self.upload.size, self.upload.crc32c):
            raise StoredBytesDamaged(
                f"the bytes of {name} are damaged on the server's disk; run facecli fsck --repair there and "
                "upload the same file again, or as a new one with facecli upload --no-resume"
            )
        self._verified = state

    def state(self) -> tuple[int, ...]:
        """Numbers that change when somebody writes to the file; FileNotFoundError."""
        stat = self.path.stat()
        return stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns

    def _read(self, stopped: Callable[[], bool]) -> tuple[int, int]:
        """Size and checksum of the file."""
        size = checksum = 0
        with self.path.open("rb", buffering=0) as file:
            while block := file.read(BLOCK):
                if stopped():
                    raise Cancelled
                size, checksum = size + len(block), crc32c(block, checksum)
        return size, checksum
