"""Blobs in a local directory: each has a directory of its own and a generated file name, no extension."""

import errno
import os
import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from facecli.core.blobs import BlobWriter
from facecli.core.errors import DiskFull, FacecliError, FileTooLarge, InvalidInput, StorageFailed

_FILE = "data"
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
_RETRY_AFTER = 30  # seconds; a person has to make room
_PART = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}", re.ASCII)


class LocalBlobs:
    """A BlobStore in `root`, which only this process's user can read. Nothing is written outside of it.

    Not `durable` means: what was flushed survives the death of every process, but not a power cut.
    """

    def __init__(self, root: Path, *, durable: bool = True) -> None:
        self.root = root.absolute()
        self._durable = durable
        with _ours("the data directory"):
            _make_directory(self.root)

    def create(self, key: str, *, size: int | None) -> None:
        """An empty blob with room for `size` bytes, durable with the first flush; DiskFull without room."""
        directory = self._directory(key)
        with _ours(key):
            _make_directory(directory.parent)
            directory.mkdir(mode=0o700, exist_ok=True)
            file = os.open(directory / _FILE, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            try:
                if size:
                    self._allocate(key, file, size)
            except BaseException:
                shutil.rmtree(directory, ignore_errors=True)
                raise
            finally:
                os.close(file)

    def writer(self, key: str) -> BlobWriter:
        """The blob, open; StorageFailed when it is gone."""
        with _ours(key):
            return LocalBlobWriter(key, self._directory(key), durable=self._durable)

    def read(self, key: str, *, offset: int, block: int) -> Iterator[bytes]:
        """The bytes from `offset`, `block` at most at a time; FileNotFoundError before the first."""
        file = os.open(self._directory(key) / _FILE, os.O_RDONLY | os.O_CLOEXEC)
        try:
            with _ours(key):
                while data := os.pread(file, block, offset):
                    yield data
                    offset += len(data)
        finally:
            os.close(file)

    def path(self, key: str) -> Path:
        """The blob's file, to be read only; FileNotFoundError when there is none."""
        path = self._directory(key) / _FILE
        if not path.is_file():
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))
        return path

    def put(self, key: str, source: Path) -> None:
        """Move a finished file of the same file system in: visible means whole, and durable."""
        directory = self._directory(key)
        with _ours(key):
            file = os.open(source, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
            try:
                os.fchmod(file, 0o600)
                os.fsync(file)
            finally:
                os.close(file)
            _make_directory(directory)
            source.rename(directory / _FILE)
            _sync_directory(directory)

    def exists(self, key: str) -> bool:
        return (self._directory(key) / _FILE).is_file()

    def delete(self, key: str) -> None:
        """Gone with everything under it, also when it was not there."""
        directory = self._directory(key)
        with _ours(key):
            try:
                shutil.rmtree(directory)
            except FileNotFoundError:
                return
            _sync_directory(directory.parent)

    def keys(self, prefix: str) -> Sequence[str]:
        """The blobs under a prefix, also those whose making was cut short."""
        top = self._inside(prefix)
        found = []
        for folder, folders, files in os.walk(top):
            if _FILE in files or not (folders or Path(folder) == top):
                found.append(Path(folder).relative_to(self.root).as_posix())
        return sorted(found)

    def free_bytes(self) -> int:
        with _ours("the data directory"):
            return shutil.disk_usage(self.root).free

    def _directory(self, key: str) -> Path:
        if "/" not in key:
            raise InvalidInput(f"{key!r} is not a blob's key, it has no prefix")
        return self._inside(key)

    def _inside(self, key: str) -> Path:
        parts = key.split("/")
        if not all(_PART.fullmatch(part) and part != _FILE for part in parts):
            raise InvalidInput(f"{key!r} is not a blob's key")
        return self.root.joinpath(*parts)

    def _allocate(self, key: str, file: int, size: int) -> None:
        try:
            os.posix_fallocate(file, 0, size)
        except OSError as error:
            if error.errno in _FULL:
                raise DiskFull(
                    f"no room for {size} bytes, {self.free_bytes()} are free; what was acknowledged is kept",
                    retry_after=_RETRY_AFTER,
                ) from error
            raise


class LocalBlobWriter:
    """An open file. Whatever was written before `flush` returns survives a power cut."""

    def __init__(self, key: str, directory: Path, *, durable: bool) -> None:
        self._key = key
        self._directory = directory
        self._durable = durable
        self._named = False  # whether its name is known to be durable
        self._file = os.open(directory / _FILE, os.O_RDWR | os.O_CLOEXEC)

    def write(self, offset: int, data: bytes | memoryview) -> None:
        """Write all of `data`, in as many writes as it takes; DiskFull, FileTooLarge or StorageFailed."""
        rest = memoryview(data)
        with _ours(self._key):
            while rest:
                written = os.pwrite(self._file, rest, offset)
                rest = rest[written:]
                offset += written

    def flush(self) -> None:
        """StorageFailed means: what was written since the last flush may be lost."""
        if not self._durable:
            return
        with _ours(self._key):
            os.fdatasync(self._file)
            if not self._named:
                with suppress(FileNotFoundError):  # deleted meanwhile, which needs no name
                    _sync_directory(self._directory)
                _sync_directory(self._directory.parent)
                self._named = True

    def size(self) -> int:
        with _ours(self._key):
            return os.fstat(self._file).st_size

    def forget_cached(self) -> None:
        """What is not written yet stays in memory."""
        with _ours(self._key):
            os.posix_fadvise(self._file, 0, 0, os.POSIX_FADV_DONTNEED)

    def truncate(self, size: int) -> None:
        with _ours(self._key):
            os.ftruncate(self._file, size)
            os.fsync(self._file)

    def read(self, offset: int, length: int) -> bytes:
        """Exactly `length` bytes; StorageFailed when the file ends before."""
        parts = []
        with _ours(self._key):
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
        file, self._file = self._file, -1
        if file >= 0:
            os.close(file)


def _make_directory(directory: Path) -> None:
    """The directory and its parents, each new name durable."""
    try:
        directory.mkdir(mode=0o700)
    except FileExistsError:
        return
    except FileNotFoundError:
        _make_directory(directory.parent)
        _make_directory(directory)
        return
    _sync_directory(directory.parent)


def _sync_directory(directory: Path) -> None:
    file = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(file)
    finally:
        os.close(file)


@contextmanager
def _ours(what: str) -> Iterator[None]:
    """Turn what the operating system says into our errors."""
    try:
        yield
    except OSError as error:
        raise _error(what, error) from error


def _error(what: str, error: OSError) -> FacecliError:
    if error.errno in _FULL:
        return DiskFull(
            f"no room for {what} ({error.strerror}); what was acknowledged is kept", retry_after=_RETRY_AFTER
        )
    if error.errno == errno.EFBIG:
        return FileTooLarge(
            f"{what} grows beyond what the file system or the process's limit (ulimit -f) allows"
        )
    return StorageFailed(f"{what} cannot be read or written: {error.strerror or error}; is the disk well?")
