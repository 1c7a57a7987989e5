"""The part file of a download: collects the bytes until the file is complete."""

import fcntl
import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO

from facecli.core.errors import DirectoryInUse, InvalidInput

_USUAL_NAME_MAX = 255  # bytes


def part_path(target: Path) -> Path:
    """`<target>.part`, or a short name made from the target's where that would be too long."""
    name = f"{target.name}.part"
    try:
        longest = os.pathconf(target.parent, "PC_NAME_MAX")
    except OSError:  # of a directory that does not exist, which opening the file reports
        longest = _USUAL_NAME_MAX
    if len(os.fsencode(name)) <= longest:
        return target.with_name(name)
    digest = hashlib.sha256(os.fsencode(target.name)).hexdigest()[:32]
    return target.with_name(f".facecli-{digest}.part")


@contextmanager
def open_part_file(target: Path) -> Iterator[BinaryIO]:
    """Open and lock the part file of a target; remove it on exit if it is empty.

    InvalidInput when it cannot be written, DirectoryInUse while another process holds it.
    """
    path = part_path(target)
    if target.is_dir():
        raise InvalidInput(f"{target} is a directory; name a file")
    try:
        with _open_locked(path) as file:
            try:
                yield file
            finally:
                if path.exists() and not path.stat().st_size:
                    path.unlink()
    except OSError as error:  # includes a full disk, which may show only when the file is closed
        raise InvalidInput(f"cannot write {target}: {error.strerror}") from error


@contextmanager
def awaited_part_file(target: Path, wait: Callable[[DirectoryInUse, bool], bool]) -> Iterator[BinaryIO]:
    """`open_part_file`, once no other process holds it.

    `wait` gets the error, and whether the other process has written since the last time; False ends the wait
    with the error.
    """
    size = 0
    with ExitStack() as stack:
        while True:
            try:
                part = stack.enter_context(open_part_file(target))
                break
            except DirectoryInUse as error:
                before, size = size, _size(part_path(target))
                if not wait(error, size > before):
                    raise
        yield part


def check_room(part: BinaryIO, name: str, missing: int) -> None:
    """InvalidInput when so many bytes cannot fit on the disk, before any of them is written."""
    status = os.fstatvfs(part.fileno())
    free = status.f_bavail * status.f_frsize
    if missing > free:
        raise InvalidInput(f"{name} needs {missing} more bytes, but only {free} are free in its directory")


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _open_locked(path: Path) -> BinaryIO:
    while True:
        with ExitStack() as stack:
            file = stack.enter_context(path.open("a+b"))
            try:
                fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise DirectoryInUse(f"another facecli is writing {path}") from error
            # Between open and lock the previous owner may have renamed it to the finished download.
            if _is_at(file, path):
                stack.pop_all()
                return file


def _is_at(file: BinaryIO, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False
