"""The local file of an upload."""

import os
import threading
from collections.abc import Iterator
from pathlib import Path

from facecli.client.send_rate import SendRateLimiter
from facecli.core.checksums import crc32c
from facecli.core.errors import InvalidInput
from facecli.uploads.upload import FINGERPRINT_SIZE, FRAME_SIZE, Frame


class Source:
    """Reads a file in frames and remembers the crc32c of every chunk it has read in `checksums`.

    The file is opened on demand and stays open until `close`.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.checksums: dict[int, int] = {}
        self._file = -1
        self._lock = threading.RLock()  # the sending thread of a stream that has ended may still be reading
        if path.exists() and not path.is_file():
            raise InvalidInput(f"{path} is not a file")
        self._first_stat = os.fstat(self._descriptor())
        self.size = self._first_stat.st_size
        if not self.size:
            self.close()
            raise InvalidInput(f"{path} is empty")

    def close(self) -> None:
        """Close the descriptor, so that waiting files hold none; the next read opens it again."""
        with self._lock:
            if self._file >= 0:
                os.close(self._file)
            self._file = -1

    def fingerprint(self) -> int:
        """crc32c of the first and the last MiB: distinguishes files of the same name and size."""
        first = last = self._read(0, FINGERPRINT_SIZE)
        if self.size > len(first):
            last = self._read(self.size - FINGERPRINT_SIZE, FINGERPRINT_SIZE)
        return crc32c(last, crc32c(first))

    def checksum(self, index: int, chunk_size: int) -> int:
        """crc32c of a chunk, read from the file unless it is known."""
        if index not in self.checksums:
            offset, end, checksum = index * chunk_size, min(self.size, (index + 1) * chunk_size), 0
            while offset < end:
                data = self._read(offset, min(FRAME_SIZE, end - offset))
                checksum = crc32c(data, checksum)
                offset += len(data)
            self.checksums[index] = checksum
        return self.checksums[index]

    def frames(self, index: int, chunk_size: int, limiter: SendRateLimiter) -> Iterator[Frame]:
        """Yield the frames of a chunk at the limiter's rate; the last one carries the chunk's checksum."""
        offset, end, checksum = index * chunk_size, min(self.size, (index + 1) * chunk_size), 0
        while offset < end:
            data = self._read(offset, min(limiter.frame_size, end - offset))
            checksum = crc32c(data, checksum)
            last = offset + len(data) == end
            if last:
                self.checksums[index] = checksum
            limiter.acquire(len(data))
            yield Frame(offset=offset, data=data, chunk_crc32c=checksum if last else None, ends_chunk=last)
            offset += len(data)

    def check_unchanged(self) -> None:
        """Raise InvalidInput if the file was modified since it was opened first."""
        with self._lock:
            now, first = os.fstat(self._descriptor()), self._first_stat
        if (now.st_ino, now.st_size, now.st_mtime_ns) != (first.st_ino, first.st_size, first.st_mtime_ns):
            raise InvalidInput(
                f"{self.path} changed while it was read; upload it again when nothing writes to it"
            )

    def _read(self, offset: int, length: int) -> bytes:
        length = min(length, self.size - offset)
        parts = []
        while length:
            try:
                with self._lock:
                    data = os.pread(self._descriptor(), length, offset)
            except OSError as error:
                raise InvalidInput(f"cannot read {self.path}: {error.strerror}") from error
            if not data:
                raise InvalidInput(f"{self.path} became shorter while it was read")
            parts.append(data)
            offset += len(data)
            length -= len(data)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def _descriptor(self) -> int:
        if self._file < 0:
            try:
                self._file = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
            except OSError as error:
                raise InvalidInput(f"cannot read {self.path}: {error.strerror}") from error
        return self._file
