"""The open file of a local blob: reads and writes at positions, flushes."""

import os
from contextlib import suppress
from pathlib import Path

from facecli.blobs.keys import RESERVED
from facecli.blobs.local.holes import punch_hole
from facecli.blobs.local.run import SequentialRun
from facecli.core.disk import flush
from facecli.core.errors import StorageFailed
from facecli.core.os_errors import translate_os_errors
from facecli.core.writeback import drop_cached

FILE = RESERVED
CACHED = 16 * 1024 * 1024  # bytes; a larger file leaves the page cache when it is flushed


class BlobFile:
    """An open file. Everything written before `flush` returns survives a power cut, if `durable`."""

    def __init__(self, key: str, directory: Path, *, durable: bool) -> None:
        self._key = key
        self._directory = directory
        self._durable = durable
        self._name_durable = False
        self._file = os.open(directory / FILE, os.O_RDWR | os.O_CLOEXEC)

    def run(self, position: int) -> SequentialRun:
        """Begin a sequential write at `position`; concurrent runs must not overlap."""
        return SequentialRun(self._key, position, file=self._file, early=self._durable)

    def write(self, position: int, data: bytes | memoryview) -> None:
        """Write all of `data`; DiskFull, FileTooLarge or StorageFailed."""
        self.run(position).write(data)

    def flush(self) -> None:
        """Make all writes durable; after StorageFailed, those since the last flush may be lost."""
        if not self._durable:
            return
        with translate_os_errors(self._key):
            os.fdatasync(self._file)
            if self.size() > CACHED:  # a large file would push everything else out of memory
                drop_cached(self._file)
            if not self._name_durable:
                with suppress(FileNotFoundError):  # a blob deleted meanwhile needs no name
                    flush(self._directory)
                flush(self._directory.parent)
                self._name_durable = True

    def size(self) -> int:
        with translate_os_errors(self._key):
            return os.fstat(self._file).st_size

    def truncate(self, size: int) -> None:
        with translate_os_errors(self._key):
            os.ftruncate(self._file, size)
            os.fsync(self._file)

    def shorten(self, size: int) -> None:
        """Cut the file, durable or not: nobody reads the bytes after `size`."""
        with translate_os_errors(self._key):
            os.ftruncate(self._file, size)

    def punch(self, position: int, length: int) -> None:
        """Give the disk back bytes that nobody reads, where the file system can."""
        with translate_os_errors(self._key):
            punch_hole(self._file, position, length)

    def read(self, position: int, length: int) -> bytes:
        """Return exactly `length` bytes; StorageFailed if the file is shorter."""
        blocks = []
        with translate_os_errors(self._key):
            while length:
                data = os.pread(self._file, length, position)
                if not data:
                    raise StorageFailed(f"{self._key} ends at byte {position}, {length} bytes too early")
                blocks.append(data)
                position += len(data)
                length -= len(data)
        return b"".join(blocks)

    def close(self) -> None:
        if self._file >= 0:
            os.close(self._file)
        self._file = -1
