"""Blobs in a local directory: each has a directory of its own and a generated file name, no extension."""

import errno
import os
import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from facecli.blobs.local.direct import Buffers
from facecli.blobs.local.file import FILE, LocalBlobWriter
from facecli.blobs.os_errors import translate_os_errors
from facecli.core.blobs import RETRY_AFTER, BlobWriter
from facecli.core.disk import FULL, flush
from facecli.core.errors import DiskFull, InvalidInput

_PART = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}", re.ASCII)


class LocalBlobs:
    """A BlobStore in `root`, which only this process's user can read. Nothing is written outside of it.

    Not `durable` means: what was flushed survives the death of every process, but not a power cut.
    """

    def __init__(self, root: Path, *, durable: bool = True) -> None:
        self.root = root.absolute()
        self._durable = durable
        self._buffers = Buffers()
        with translate_os_errors("the data directory"):
            _make_directory(self.root)

    def create(self, key: str, *, size: int | None) -> None:
        """An empty blob with room for `size` bytes, durable with the first flush; DiskFull without room."""
        directory = self._directory(key)
        with translate_os_errors(key):
            _make_directory(directory.parent)
            directory.mkdir(mode=0o700, exist_ok=True)
            file = os.open(directory / FILE, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            try:
                if size:
                    self._allocate(file, size)
            except BaseException:
                shutil.rmtree(directory, ignore_errors=True)
                raise
            finally:
                os.close(file)

    def writer(self, key: str) -> BlobWriter:
        """The blob, open; StorageFailed when it is gone."""
        with translate_os_errors(key):
            return LocalBlobWriter(key, self._directory(key), durable=self._durable, buffers=self._buffers)

    def read(self, key: str, *, offset: int, block: int) -> Iterator[bytes]:
        """The bytes from `offset`, `block` at most at a time; FileNotFoundError before the first."""
        file = os.open(self._directory(key) / FILE, os.O_RDONLY | os.O_CLOEXEC)
        try:
            with translate_os_errors(key):
                while data := os.pread(file, block, offset):
                    yield data
                    offset += len(data)
        finally:
            os.close(file)

    def path(self, key: str) -> Path:
        """The blob's file, to be read only; FileNotFoundError when there is none."""
        path = self._directory(key) / FILE
        if not path.is_file():
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))
        return path

    def put(self, key: str, source: Path) -> None:
        """Move a finished file of the same file system in: visible means whole, and durable."""
        directory = self._directory(key)
        with translate_os_errors(key):
            file = os.open(source, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
            try:
                os.fchmod(file, 0o600)
                os.fsync(file)
            finally:
                os.close(file)
            _make_directory(directory)
            source.rename(directory / FILE)
            flush(directory)

    def exists(self, key: str) -> bool:
        return (self._directory(key) / FILE).is_file()

    def size(self, key: str) -> int:
        """Bytes of its file; FileNotFoundError when there is none."""
        return self.path(key).stat().st_size

    def delete(self, key: str) -> None:
        """Gone with everything under it, and what is empty then above it; also when it was not there."""
        directory = self._directory(key)
        with translate_os_errors(key):
            try:
                shutil.rmtree(directory)
            except FileNotFoundError:
                return
            above = directory.parent
            while above.parent != self.root and not any(above.iterdir()):
                with suppress(OSError):  # whoever makes another blob there now makes it again, if need be
                    above.rmdir()
                above = above.parent
            flush(above)

    def keys(self, prefix: str) -> Sequence[str]:
        """The blobs under a prefix, also those whose making was cut short. Other people's files are none."""
        top = self._inside(prefix)
        found = []
        for folder, folders, files in os.walk(top):
            folders[:] = filter(_is_part, folders)
            if Path(folder) != top and (FILE in files or not folders):
                found.append(Path(folder).relative_to(self.root).as_posix())
        return sorted(found)

    def free_bytes(self) -> int:
        with translate_os_errors("the data directory"):
            return shutil.disk_usage(self.root).free

    def _directory(self, key: str) -> Path:
        if "/" not in key:
            raise InvalidInput(f"{key!r} is not a blob's key, it has no prefix")
        return self._inside(key)

    def _inside(self, key: str) -> Path:
        parts = key.split("/")
        if not all(map(_is_part, parts)):
            raise InvalidInput(f"{key!r} is not a blob's key")
        return self.root.joinpath(*parts)

    def _allocate(self, file: int, size: int) -> None:
        try:
            os.posix_fallocate(file, 0, size)
        except OSError as error:
            if error.errno in FULL:
                raise DiskFull(
                    f"no room for {size} bytes, {self.free_bytes()} are free; what was acknowledged is kept",
                    retry_after=RETRY_AFTER,
                ) from error
            raise


def _is_part(name: str) -> bool:
    """Whether it can stand between two slashes of a key."""
    return bool(_PART.fullmatch(name)) and name != FILE


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
    flush(directory.parent)
