"""A bounded cache of files on this machine, shared by all of its processes.

Theory of operation. `files/` holds whole files, `used/` an empty file for each whose time is that of its last
use, `fetching/` what is being fetched. A reader holds a shared lock (flock) on the file it uses, a fetcher an
exclusive one on the partial file. To add, take or remove a file needs the lock of the cache for that moment,
never during a transfer. Room is made by removing the files that were used the longest time ago and have no
lock. The kernel releases the locks of a killed process: then its partial file is removed by
the next one that needs room, and its other files may go like any.
"""

import fcntl
import os
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from facecli.core.blobs import RETRY_AFTER
from facecli.core.errors import Cancelled, DiskFull, FileTooLarge, StorageFailed
from facecli.core.os_errors import translate_os_errors

POLL_SECONDS = 0.1  # between two tries to get the lock of a process that fetches the file

Blocks = Callable[[], Iterator[bytes]]


class FileCache:
    """Files of `limit` bytes in total in a directory, which is created when it is first needed."""

    def __init__(self, directory: Path, *, limit: int) -> None:
        self._directory = directory
        self._limit = limit
        self._files = directory / "files"
        self._used = directory / "used"
        self._fetching = directory / "fetching"

    @contextmanager
    def file(
        self, name: str, *, size: Callable[[], int], blocks: Blocks, stopped: Callable[[], bool]
    ) -> Iterator[Path]:
        """The file of this name, fetched if it is not there; it stays while the context is open.

        Cancelled once `stopped` returns true. DiskFull while other files in use leave no room.
        """
        self._prepare()
        descriptor = self._taken(name)
        if descriptor is None:
            descriptor = self._fetched(name, size, blocks, stopped)
        try:
            yield self._files / name
        finally:
            os.close(descriptor)

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        """A path for a file that is removed afterwards, if it is still there."""
        self._prepare()
        path = self._fetching / f"{uuid.uuid4().hex}.scratch"
        try:
            yield path
        finally:
            path.unlink(missing_ok=True)

    def forget(self, name: str) -> None:
        """Remove a file unless somebody uses it."""
        if (self._files / name).exists():
            with self._locked():
                self._remove(self._files / name)

    def _prepare(self) -> None:
        with translate_os_errors("the cache of blobs"):
            for folder in (self._files, self._used, self._fetching):
                folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    def _taken(self, name: str) -> int | None:
        """A descriptor with a shared lock on a file of the cache; None if it is not there."""
        with self._locked():
            try:
                descriptor = os.open(self._files / name, os.O_RDONLY | os.O_CLOEXEC)
            except FileNotFoundError:
                return None
            fcntl.flock(descriptor, fcntl.LOCK_SH)
            (self._used / name).touch()
            return descriptor

    def _fetched(
        self, name: str, size: Callable[[], int], blocks: Blocks, stopped: Callable[[], bool]
    ) -> int:
        lock = self._fetching / f"{name}.lock"
        with self._opened(lock) as holder:
            try:
                while not _try_lock(holder):
                    if stopped():
                        raise Cancelled
                    time.sleep(POLL_SECONDS)
                descriptor = self._taken(name)  # another process may have fetched it meanwhile
                return self._fetch(name, size(), blocks, stopped) if descriptor is None else descriptor
            finally:
                lock.unlink(missing_ok=True)

    def _fetch(self, name: str, size: int, blocks: Blocks, stopped: Callable[[], bool]) -> int:
        partial = self._fetching / f"{name}.{uuid.uuid4().hex}"
        with translate_os_errors(f"the copy of {name}"):
            descriptor = self._reserved(partial, size)
            try:
                written = 0
                for block in blocks():
                    if stopped():
                        raise Cancelled
                    rest = memoryview(block)
                    while rest:
                        count = os.pwrite(descriptor, rest, written)
                        rest, written = rest[count:], written + count
                if written != size:
                    raise StorageFailed(f"{name} ended after {written} bytes, not {size}")
                os.fsync(descriptor)  # a copy that a power cut damaged would fail a task
                with self._locked():
                    fcntl.flock(descriptor, fcntl.LOCK_SH)
                    (self._used / name).touch()
                    partial.rename(self._files / name)
            except BaseException:
                partial.unlink(missing_ok=True)
                os.close(descriptor)
                raise
        return descriptor

    def _reserved(self, partial: Path, size: int) -> int:
        """A descriptor of a new file that takes `size` bytes of the cache, with an exclusive lock."""
        with self._locked():
            self._make_room(size)
            descriptor = os.open(partial, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX)
                if size:
                    os.posix_fallocate(descriptor, 0, size)
            except BaseException:
                partial.unlink(missing_ok=True)
                os.close(descriptor)
                raise
        return descriptor

    def _make_room(self, size: int) -> None:
        """Remove files until `size` bytes fit; needs the lock."""
        if size > self._limit:
            raise FileTooLarge(
                f"a file of {size} bytes does not fit the cache of this machine, which has {self._limit}; "
                "set FACECLI_BLOB_CACHE to more"
            )
        for partial in self._fetching.iterdir():
            if partial.suffix != ".lock":
                self._remove(partial)
        files = sorted(self._files.iterdir(), key=self._last_use)
        total = sum(path.stat().st_size for path in (*files, *self._fetching.iterdir()))
        for path in files:
            if total + size <= self._limit:
                return
            total -= self._remove(path)
        if total + size > self._limit:
            raise DiskFull(
                f"the cache of this machine, {self._limit} bytes, is taken by files in use; wait for their "
                "tasks, or set FACECLI_BLOB_CACHE to more",
                retry_after=RETRY_AFTER,
            )

    def _last_use(self, path: Path) -> float:
        try:
            return (self._used / path.name).stat().st_mtime
        except FileNotFoundError:
            return 0.0

    def _remove(self, path: Path) -> int:
        """Remove a file unless somebody uses it; return the bytes that are free now. Needs the lock."""
        with suppress(FileNotFoundError), self._opened(path, create=False) as descriptor:
            if _try_lock(descriptor):
                size = os.fstat(descriptor).st_size
                path.unlink()
                (self._used / path.name).unlink(missing_ok=True)
                return size
        return 0

    @contextmanager
    def _locked(self) -> Iterator[None]:
        with self._opened(self._directory / "lock") as descriptor:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield

    @contextmanager
    def _opened(self, path: Path, *, create: bool = True) -> Iterator[int]:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC | (os.O_CREAT if create else 0), 0o600)
        try:
            yield descriptor
        finally:
            os.close(descriptor)


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
