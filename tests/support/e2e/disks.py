"""Disks of a test's own: small ones that get full, and ones whose power is cut."""

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

# linux/fs.h and fs/ext4/ext4.h: stop at once, and write nothing more, not even the journal.
_FS_IOC_SHUTDOWN = 0x8004587D
_NO_LOG_FLUSH = struct.pack("I", 2)
_SBIN = {"PATH": f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"}


@contextmanager
def tmpfs(folder: Path, *, size: str) -> Iterator[Path]:
    """A file system in memory."""
    folder.mkdir(parents=True, exist_ok=True)
    _run("mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder)
    try:
        yield folder
    finally:
        _run("umount", folder)


class Filling:
    """What takes the room of a file system."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "filling"

    def fill(self, *, but: int = 0) -> None:
        """Take all the room but so many bytes."""
        with self._file.open("wb", buffering=0) as file:
            with pytest.raises(OSError, match="No space"):
                while True:
                    assert file.write(bytes(4096))
            file.truncate(file.tell() - but)

    def empty(self) -> None:
        self._file.unlink()


class Ext4:
    """An ext4 file system in a file, mounted while this is entered; nothing reaches it before it must."""

    def __init__(self, image: Path, folder: Path, *, mib: int) -> None:
        self.folder = folder
        self._image = image
        folder.mkdir()
        with image.open("wb") as file:
            file.truncate(mib * 1024 * 1024)
        _run("mkfs.ext4", "-q", "-b", 4096, "-E", "nodiscard", image)

    def mount(self) -> None:
        # It commits when a file is flushed, not by itself after five seconds.
        _run("mount", "-o", "loop,commit=600", self._image, self.folder)

    def unmount(self) -> None:
        """Also forgets what the memory knows of its files."""
        _run("umount", self.folder)

    def cut_power(self) -> None:
        """What was not flushed is lost, and every use of a file fails, until `unmount` and `mount`."""
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
    """An ext4 of which the sectors of one file take no bytes when that is wanted: there is no room below.

    Linux tells of a failed flush once, the next one succeeds. The bytes are in memory then and nowhere else,
    and gone when the file system is mounted anew.
    """

    def __init__(self, below: Path, folder: Path) -> None:
        self._below = below
        self._folder = folder
        self._filling = Filling(below)
        self._stack = ExitStack()

    def weaken(self, file: Path) -> None:
        """These sectors are the ones; what they hold is lost now."""
        for start, length in _sectors(file):
            _run("fallocate", "--punch-hole", "--offset", start, "--length", length, self._below / "image")

    def fail(self) -> None:
        """Whatever was not written yet cannot be."""
        self._filling.fill()

    def mend(self) -> None:
        self._filling.empty()

    def forget(self) -> None:
        """What is only in memory; nobody may use the disk now."""
        self._ext4.unmount()
        self._ext4.mount()

    def __enter__(self) -> Self:
        self._stack.enter_context(tmpfs(self._below, size="80m"))
        self._ext4 = self._stack.enter_context(Ext4(self._below / "image", self._folder, mib=64))
        _run("fallocate", "--length", "64MiB", self._below / "image")
        (self._folder / "lost+found").rmdir()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()


def _sectors(file: Path) -> list[tuple[int, int]]:
    """Where in its file system a file lies: starts and lengths, in bytes."""
    lines = _run("filefrag", "-v", "-b4096", file).splitlines()
    found = [re.match(r" *\d+: +\d+\.\. +\d+: +(\d+)\.\. +\d+: +(\d+):", line) for line in lines]
    return [(int(each[1]) * 4096, int(each[2]) * 4096) for each in found if each]


def _run(*command: object) -> str:
    done = subprocess.run(
        list(map(str, command)), check=True, capture_output=True, text=True, env={**os.environ, **_SBIN}
    )
    return done.stdout
