"""An open blob of a local directory."""

import os
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from facecli.blobs.local.direct import Buffers, DirectRun
from facecli.blobs.os_errors import translate_os_errors
from facecli.core.blobs import BlobRun
from facecli.core.disk import flush
from facecli.core.errors import StorageFailed

FILE = "data"

_DIRECT = getattr(os, "O_DIRECT", 0)


class LocalBlobWriter:
    """An open file. Whatever was written before `flush` returns survives a power cut."""

    def __init__(self, key: str, directory: Path, *, durable: bool, buffers: Buffers) -> None:
        self._key = key
        self._directory = directory
        self._durable = durable
        self._named = False  # whether its name is known to be durable
        self._buffers = buffers
        self._file = os.open(directory / FILE, os.O_RDWR | os.O_CLOEXEC)
        try:
            self._direct = os.open(directory / FILE, os.O_WRONLY | os.O_CLOEXEC | _DIRECT)
        except OSError:  # this file system has no direct writes
            self._direct = -1

    def run(self, offset: int) -> BlobRun:
        return DirectRun(self._key, offset, plain=self._file, direct=self._direct, buffers=self._buffers)

    def write(self, offset: int, data: bytes | memoryview) -> None:
        """Write all of `data`, in as many writes as it takes; DiskFull, FileTooLarge or StorageFailed."""
        rest = memoryview(data)
        with translate_os_errors(self._key):
            while rest:
                written = os.pwrite(self._file, rest, offset)
                rest = rest[written:]
                offset += written

    def flush(self) -> None:
        """StorageFailed means: what was written since the last flush may be lost."""
        if not self._durable:
            return
        with translate_os_errors(self._key):
            os.fdatasync(self._file)
            if not self._named:
                with suppress(FileNotFoundError):  # deleted meanwhile, which needs no name
                    flush(self._directory)
                flush(self._directory.parent)
                self._named = True

    def size(self) -> int:
        with translate_os_errors(self._key):
            return os.fstat(self._file).st_size

    def forget_cached(self) -> None:
        """What is not written yet stays in memory."""
        with translate_os_errors(self._key):
            os.posix_fadvise(self._file, 0, 0, os.POSIX_FADV_DONTNEED)

    def truncate(self, size: int) -> None:
        with translate_os_errors(self._key):
            os.ftruncate(self._file, size)
            os.fsync(self._file)

    def read(self, offset: int, length: int) -> bytes:
        """Exactly `length` bytes; StorageFailed when the file ends before."""
        parts = []
        with translate_os_errors(self._key):
            while length:
                data = os.pread(self._file, length, offset)
                if not data:
                    raise StorageFailed(f"{self._key} ends at byte {offset}, {length} bytes too early")
                parts.append(data)
                offset += len(data)
                length -= len(data)
        return b"".join(parts)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for file in (self._file, self._direct):
            if file >= 0:
                os.close(file)
        self._file = self._direct = -1
