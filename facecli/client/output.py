"""Writing of a verified download to its destination."""

import os
import stat
import sys
from pathlib import Path
from typing import BinaryIO

from facecli.client.destination import Destination
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


def write_through(source: Path, target: Destination) -> None:
    """Copy a file into standard output, a pipe or the null device."""
    try:
        with source.open("rb") as verified:
            if target.is_stdout:
                _copy(verified, sys.stdout.fileno())
            else:
                descriptor = os.open(target.path, os.O_WRONLY | os.O_CLOEXEC)
                try:
                    _copy(verified, descriptor)
                finally:
                    os.close(descriptor)
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
