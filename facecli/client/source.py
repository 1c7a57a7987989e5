"""A file to upload, read once, in frames."""

import os
from collections.abc import Iterator
from pathlib import Path

from facecli.core.checksums import crc32c
from facecli.core.errors import InvalidInput
from facecli.core.pace import Pace
from facecli.core.uploads import FINGERPRINT_SIZE, FRAME_SIZE, Frame


class Source:
    """`checksums` holds the crc32c of every chunk that was read so far."""

    def __init__(self, path: Path) -> None:
        self.path = path
        if path.exists() and not path.is_file():
            raise InvalidInput(f"{path} is not a file")
        try:
            self._file = path.open("rb", buffering=0)
        except OSError as error:
            raise InvalidInput(f"cannot read {path}: {error.strerror}") from error
        self._seen = os.fstat(self._file.fileno())
        self.size = self._seen.st_size
        self.checksums: dict[int, int] = {}
        if not self.size:
            self._file.close()
            raise InvalidInput(f"{path} is empty")

    def close(self) -> None:
        self._file.close()

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

    def frames(self, index: int, chunk_size: int, pace: Pace) -> Iterator[Frame]:
        """The frames of a chunk, as the pace lets them go; the last one carries the chunk's checksum."""
        offset, end, checksum = index * chunk_size, min(self.size, (index + 1) * chunk_size), 0
        while offset < end:
            data = self._read(offset, min(pace.frame_size, end - offset))
            checksum = crc32c(data, checksum)
            last = offset + len(data) == end
            if last:
                self.checksums[index] = checksum
            pace.leaves(len(data))
            yield Frame(offset=offset, data=data, chunk_crc32c=checksum if last else None, ends_chunk=last)
            offset += len(data)

    def check_unchanged(self) -> None:
        """InvalidInput when the file was written to while it was read."""
        now = os.fstat(self._file.fileno())
        if (now.st_size, now.st_mtime_ns) != (self._seen.st_size, self._seen.st_mtime_ns):
            raise InvalidInput(f"{self.path} changed while it was read; upload it again when it is at rest")

    def _read(self, offset: int, length: int) -> bytes:
        length = min(length, self.size - offset)
        parts = []
        while length:
            try:
                data = os.pread(self._file.fileno(), length, offset)
            except OSError as error:
                raise InvalidInput(f"cannot read {self.path}: {error.strerror}") from error
            if not data:
                raise InvalidInput(f"{self.path} became shorter while it was read")
            parts.append(data)
            offset += len(data)
            length -= len(data)
        return parts[0] if len(parts) == 1 else b"".join(parts)
