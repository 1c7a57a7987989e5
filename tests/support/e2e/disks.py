"""File systems for one test: small ones that fill up, and ones that lose power or fail to write."""

import fcntl
import os
import re
import struct
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest

# linux/fs.h and fs/ext4/ext4.h: stop at once and write nothing more, not even the journal.
_FS_IOC_SHUTDOWN = 0x8004587D
_NO_LOG_FLUSH = struct.pack("I", 2)
_SBIN = {"PATH": f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"}


@contextmanager
def tmpfs(folder: Path, *, size: str) -> Iterator[Path]:
    """Mount a file system in memory."""
    folder.mkdir(parents=True, exist_ok=True)
    _run("mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder)
    try:
        yield folder
    finally:
        _run("umount", folder)


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """Forbid writes to a mounted file system, as the kernel does after a disk error."""
    _run("mount", "-o", "remount,ro", folder)
    try:
        yield
    finally:
        _run("mount", "-o", "remount,rw", folder)


class Ballast:
    """A file that takes up the free space of a file system."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "ballast"

    def fill(self, *, leave: int = 0) -> None:
        """Take all free space except so many bytes."""
        with self._file.open("wb", buffering=0) as file:
            with pytest.raises(OSError, match="No space"):
                while True:
                    assert file.write(bytes(4096))
            file.truncate(file.tell() - leave)

    def free(self) -> None:
        self._file.unlink()


class Ext4:
    """An ext4 file system in a file, mounted while this is entered; it writes as late as it may."""

    def __init__(self, image: Path, folder: Path, *, mib: int) -> None:
        self.folder = folder
        self._image = image
        folder.mkdir()
        with image.open("wb") as file:
            file.truncate(mib * 1024 * 1024)
        _run("mkfs.ext4", "-q", "-b", 4096, "-E", "nodiscard", image)

    def mount(self) -> None:
        # Commit when a file is flushed, not by itself every five seconds.
        _run("mount", "-o", "loop,commit=600", self._image, self.folder)

    def unmount(self) -> None:
        """Unmount it, which also drops its cached files."""
        _run("umount", self.folder)

    def cut_power(self) -> None:
        """Lose all that was not flushed and fail every use of a file, until `unmount` and `mount`."""
        directory = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.ioctl(directory, _FS_IOC_SHUTDOWN, _NO_LOG_FLUSH)
        finally:
            os.close(directory)

    def __enter__(self) -> Self:
        self.mount()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.folder.is_mount():
            self.unmount()


class FailingDisk:
    """An ext4 in a sparse image on a small tmpfs, which when full makes writes to one file fail.

    Linux reports a failed flush once; the next one succeeds, with the bytes in memory only. They are lost
    when the file system is mounted again.
    """

    def __init__(self, image_folder: Path, folder: Path) -> None:
        self._image_folder = image_folder
        self._folder = folder
        self._ballast = Ballast(image_folder)
        self._stack = ExitStack()

    def weaken(self, file: Path) -> None:
        """Select the sectors of a file to fail later; their content is lost now."""
        for start, length in _sectors(file):
            _run(
                "fallocate",
                "--punch-hole",
                "--offset",
                start,
                "--length",
                length,
                self._image_folder / "image",
            )

    def fail(self) -> None:
        """Fail all writes to these sectors from now on."""
        self._ballast.fill()

    def recover(self) -> None:
        self._ballast.free()

    def drop_cache(self) -> None:
        """Lose the bytes that are only in memory; no process may use the disk now."""
        self._ext4.unmount()
        self._ext4.mount()

    def __enter__(self) -> Self:
        self._stack.enter_context(tmpfs(self._image_folder, size="80m"))
        self._ext4 = self._stack.enter_context(Ext4(self._image_folder / "image", self._folder, mib=64))
        _run("fallocate", "--length", "64MiB", self._image_folder / "image")
        (self._folder / "lost+found").rmdir()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()


def _sectors(file: Path) -> list[tuple[int, int]]:
    """The extents of a file on its file system: starts and lengths, in bytes."""
    lines = _run("filefrag", "-v", "-b4096", file).splitlines()
    extents = [re.match(r" *\d+: +\d+\.\. +\d+: +(\d+)\.\. +\d+: +(\d+):", line) for line in lines]
    return [(int(extent[1]) * 4096, int(extent[2]) * 4096) for extent in extents if extent]


def _run(*command: object) -> str:
    result = subprocess.run(
        list(map(str, command)), check=True, capture_output=True, text=True, env={**os.environ, **_SBIN}
    )
    return result.stdout
