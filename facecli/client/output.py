"""Writing of a verified download to its destination."""

import io
import os
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from facecli.client.destination import Destination
from facecli.client.part_file import open_part_file
from facecli.core.disk import flush
from facecli.core.errors import OutputFailed, ReaderGone

_BLOCK = 1024 * 1024  # bytes


def keep_mode(file: BinaryIO, replaced: Path) -> None:
    """Give a new file the mode and, as far as this user may, the owner of the one that it replaces."""
    try:
        old = replaced.stat()
    except FileNotFoundError:
        return
    new = os.fstat(file.fileno())
    if (old.st_uid, old.st_gid) != (new.st_uid, new.st_gid):
        try:
            os.fchown(file.fileno(), old.st_uid, old.st_gid)
        except PermissionError:
            return  # the mode was meant for the other owner
    os.fchmod(file.fileno(), stat.S_IMODE(old.st_mode))


def write_bytes(data: bytes, target: Destination) -> None:
    """Write a small file: into a stream, or beside the target, which then is replaced at once."""
    if target.stream:
        with _translated(target):
            _write(io.BytesIO(data), target)
        return
    with open_part_file(target.path) as part:
        part.truncate(0)
        part.write(data)
        part.flush()
        keep_mode(part, target.path)
        os.fsync(part.fileno())
        Path(part.name).replace(target.path)
        flush(target.path.parent)


def write_through(source: Path, target: Destination) -> None:
    """Copy a file into standard output, a pipe or the null device."""
    with _translated(target), source.open("rb") as verified:
        _write(verified, target)


def _write(source: BinaryIO, target: Destination) -> None:
    if target.is_stdout:
        _copy(source, sys.stdout.fileno())
        return
    descriptor = os.open(target.path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        _copy(source, descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _translated(target: Destination) -> Iterator[None]:
    try:
        yield
    except BrokenPipeError as error:
        raise ReaderGone from error
    except OSError as error:
        name = "to standard output" if target.is_stdout else target.shown
        raise OutputFailed(f"cannot write {name}: {error.strerror}") from error


def _copy(source: BinaryIO, descriptor: int) -> None:
    while block := source.read(_BLOCK):
        rest = memoryview(block)
        while rest:
            rest = rest[os.write(descriptor, rest) :]
