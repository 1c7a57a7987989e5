"""Blobs in a local directory: each has a directory of its own and a generated file name."""

import errno
import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, nullcontext, suppress
from functools import partial
from pathlib import Path

from facecli.blobs.keys import checked_key, checked_prefix, is_key_part
from facecli.blobs.local.file import FILE, BlobFile
from facecli.blobs.local.staged import LocalStagedBlob
from facecli.core.blobs import RETRY_AFTER, Capability, Part, PartLayout, PartLimits, StagedBlob
from facecli.core.disk import FULL, flush
from facecli.core.errors import DiskFull, StorageFailed
from facecli.core.os_errors import translate_os_errors
from facecli.core.writeback import drop_cached


class LocalBlobs:
    """A BlobStore in the directory `root`, readable only by the user of this process.

    Without `durable`, synced bytes survive a crash of every process but not a power cut.
    """

    def __init__(self, root: Path, *, durable: bool = True) -> None:
        self.root = root.absolute()
        self._durable = durable
        with translate_os_errors("the data directory"):
            _make_directory(self.root)
            self._inode = _inode(self.root)

    @property
    def capabilities(self) -> frozenset[Capability]:
        return frozenset(Capability)

    @property
    def part_limits(self) -> PartLimits:
        return PartLimits()

    def begin(self, key: str, layout: PartLayout) -> StagedBlob:
        self._check_place(key)
        # Reserving the space of a small file takes longer than writing it: 200 of 1 MiB 0.92 s, else 0.87.
        reserved = layout.size if layout.count > 1 else None
        return LocalStagedBlob(self._create(key, reserved), layout, tokens={}, check=self._checker(key))

    def resume(self, key: str, layout: PartLayout, *, tokens: Mapping[int, str] | None) -> StagedBlob:
        file = self._file(key)
        try:
            return LocalStagedBlob(file, layout, tokens=tokens, check=self._checker(key))
        except BaseException:
            file.close()
            raise

    def reopen(self, key: str, layout: PartLayout) -> Sequence[str]:
        return [str(index * layout.part_size) for index in range(layout.count)]

    def read_part(self, key: str, part: Part, *, block: int) -> Iterator[bytes]:
        remaining = part.size
        for data in self._read(key, int(part.token), block=block, cached=False):
            yield data[:remaining]
            remaining -= len(data)
            if remaining <= 0:
                return

    def has_part(self, key: str, part: Part) -> bool:
        return self.exists(key) and int(part.token) + part.size <= self.size(key)

    def open(self, key: str, *, offset: int, block: int) -> Iterator[bytes]:
        return self._read(key, offset, block=block, cached=True)

    def local_copy(
        self, key: str, *, stopped: Callable[[], bool] = lambda: False
    ) -> AbstractContextManager[Path]:
        return nullcontext(self.path(key))

    def path(self, key: str) -> Path:
        """The file of a blob; FileNotFoundError when there is none."""
        path = self._directory(key) / FILE
        if not path.is_file():
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))
        return path

    def put(self, key: str, source: Path) -> None:
        directory = self._directory(key)
        with translate_os_errors(key):
            file = os.open(source, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
            try:
                os.fchmod(file, 0o600)
                os.fsync(file)
            finally:
                os.close(file)
            self._check_place(key)
            _make_directory(directory)
            source.rename(directory / FILE)
            flush(directory)
        self._check_place(key)

    def trim(self, key: str, size: int) -> None:
        with closing(self._file(key)) as file:
            file.truncate(size)

    def exists(self, key: str) -> bool:
        return (self._directory(key) / FILE).is_file()

    def size(self, key: str) -> int:
        return self.path(key).stat().st_size

    def modified_at(self, key: str) -> float:
        directory = self._directory(key)
        times = list[float]()
        for path in (directory, directory / FILE):
            with suppress(FileNotFoundError):
                times.append(path.lstat().st_mtime)
        return max(times, default=time.time())

    def delete(self, key: str) -> None:
        directory = self._directory(key)
        with translate_os_errors(key):
            try:
                if directory.is_symlink():
                    directory.unlink()
                else:
                    shutil.rmtree(directory)
            except FileNotFoundError:
                return
            parent = directory.parent
            while parent.parent != self.root and not any(parent.iterdir()):
                with suppress(OSError):  # a concurrent `_create` makes its directory again
                    parent.rmdir()
                parent = parent.parent
            flush(parent)

    def list(self, prefix: str) -> Sequence[str]:
        """List keys, also of links and of blobs that a crash left without a file; skip foreign files."""
        top = self.root.joinpath(*checked_prefix(prefix).split("/"))
        keys = list[str]()
        for folder, folders, files in os.walk(top):
            folders[:] = filter(is_key_part, folders)
            links = (Path(folder) / name for name in folders if (Path(folder) / name).is_symlink())
            keys.extend(link.relative_to(self.root).as_posix() for link in links)
            if Path(folder) != top and (FILE in files or not folders):
                keys.append(Path(folder).relative_to(self.root).as_posix())
        return sorted(keys)

    def free_bytes(self) -> int:
        with translate_os_errors("the data directory"):
            return shutil.disk_usage(self.root).free

    def _checker(self, key: str) -> Callable[[], None]:
        return partial(self._check_place, key)

    def _check_place(self, key: str) -> None:
        """Raise StorageFailed when the data directory, or a part of the key, was replaced by another one.

        Bytes must not be acknowledged that were written to another place.
        """
        with translate_os_errors(key):
            same = _inode(self.root) == self._inode
        path = str(self.root)
        for part in key.split("/"):
            path = f"{path}/{part}"
            same = same and not os.path.islink(path)  # noqa: PTH114  (pathlib takes ten times as long)
        if not same:
            raise StorageFailed(
                f"the data directory {self.root} was replaced while the server was running; put it back, or "
                "restart the server"
            )

    def _file(self, key: str) -> BlobFile:
        with translate_os_errors(key):
            return BlobFile(key, self._directory(key), durable=self._durable)

    def _create(self, key: str, size: int | None) -> BlobFile:
        """Create the file with space for `size` bytes; its name is durable with the first flush."""
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
        return self._file(key)

    def _read(self, key: str, position: int, *, block: int, cached: bool) -> Iterator[bytes]:
        file = os.open(self._directory(key) / FILE, os.O_RDONLY | os.O_CLOEXEC)
        try:
            with translate_os_errors(key):
                if not cached:
                    drop_cached(file)
                while data := os.pread(file, block, position):
                    yield data
                    position += len(data)
        finally:
            os.close(file)

    def _directory(self, key: str) -> Path:
        return self.root.joinpath(*checked_key(key).split("/"))

    def _allocate(self, file: int, size: int) -> None:
        free = self.free_bytes()
        try:
            if size > free:  # ext4 takes all free space, which other writers need, before it fails
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            os.posix_fallocate(file, 0, size)
        except OSError as error:
            if error.errno in FULL:
                raise DiskFull(
                    f"no room for {size} bytes, {free} are free; acknowledged bytes are safe",
                    retry_after=RETRY_AFTER,
                ) from error
            raise


def _inode(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_dev, found.st_ino


def _make_directory(directory: Path) -> None:
    """Create the directory and its parents durably."""
    try:
        directory.mkdir(mode=0o700)
    except FileExistsError:
        return
    except FileNotFoundError:
        _make_directory(directory.parent)
        _make_directory(directory)
        return
    flush(directory.parent)
