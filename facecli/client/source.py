"""A file to upload, read once, in frames."""

import os
import threading
from collections.abc import Iterator
from pathlib import Path

from facecli.client.send_rate import SendRateLimiter
from facecli.core.checksums import crc32c
from facecli.core.errors import InvalidInput
from facecli.uploads.upload import FINGERPRINT_SIZE, FRAME_SIZE, Frame


class Source:
    """`checksums` holds the crc32c of every chunk that was read. Open from one use to the next `close`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.checksums: dict[int, int] = {}
        self._file = -1
        self._lock = threading.RLock()  # a stream that ends may still be reading
        if path.exists() and not path.is_file():
            raise InvalidInput(f"{path} is not a file")
        self._seen = os.fstat(self._opened())
        self.size = self._seen.st_size
        if not self.size:
            self.close()
            raise InvalidInput(f"{path} is empty")

    def close(self) -> None:
        """Hundreds of files of one command are not open at once; the next use opens it again."""
        with self._lock:
            if self._file >= 0:
                os.close(self._file)
            self._file = -1

    def fingerprint(self) -> int:
        """crc32c of the first and then the last MiB: tells two files of one name and size apart."""
        first = self._read(0, FINGERPRINT_SIZE)
        last = (
            first if self.size == len(first) else self._read(self.size - FINGERPRINT_SIZE, FINGERPRINT_SIZE)
        )
        return crc32c(last, crc32c(first))

    def checksum(self, index: int, chunk_size: int) -> int:
        """crc32c of a chunk, reading it when it was not read before."""
        if index not in self.checksums:
            offset, end, checksum = index * chunk_size, min(self.size, (index + 1) * chunk_size), 0
            while offset < end:
                data = self._read(offset, min(FRAME_SIZE, end - offset))
                checksum = crc32c(data, checksum)
                offset += len(data)
            self.checksums[index] = checksum
        return self.checksums[index]

    def frames(self, index: int, chunk_size: int, limiter: SendRateLimiter) -> Iterator[Frame]:
        """The frames of a chunk, as the limiter lets them go; the last one carries the chunk's checksum."""
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
        """InvalidInput when the file was written to while it was read."""
        with self._lock:
            now, seen = os.fstat(self._opened()), self._seen
        if (now.st_ino, now.st_size, now.st_mtime_ns) != (seen.st_ino, seen.st_size, seen.st_mtime_ns):
            raise InvalidInput(f"{self.path} changed while it was read; upload it again when it is at rest")

    def _read(self, offset: int, length: int) -> bytes:
        length = min(length, self.size - offset)
        parts = []
        while length:
            try:
                with self._lock:
                    data = os.pread(self._opened(), length, offset)
            except OSError as error:
                raise InvalidInput(f"cannot read {self.path}: {error.strerror}") from error
            if not data:
                raise InvalidInput(f"{self.path} became shorter while it was read")
            parts.append(data)
            offset += len(data)
            length -= len(data)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def _opened(self) -> int:
        if self._file < 0:
            try:
                self._file = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
            except OSError as error:
                raise InvalidInput(f"cannot read {self.path}: {error.strerror}") from error
        return self._file
