"""The destination of a download: one rule for every `-o`, checked before a byte is sent.

A symlink is followed. A directory gets a file with the result's name. Standard output, a pipe and /dev/null
are written through; any other device or socket is refused. A regular file is written beside its place and
renamed, so its name is all that changes hands: mode and owner stay.
"""

import os
import stat
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from facecli.core.checksums import crc32c_of
from facecli.core.errors import InvalidInput
from facecli.core.printable import escaped
from facecli.uploads.names import checked_name

STDOUT = "-"

_DESCRIPTORS = {"/dev/fd", "/proc/self/fd", f"/proc/{os.getpid()}/fd"}
_STDOUT_DESCRIPTOR = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """A checked destination. `path` is a regular file, whether it exists or not, unless it is a stream."""

    shown: str  # as the user named it, or the path in the directory that was named
    path: Path
    stream: bool = False
    is_stdout: bool = False
    replaces: bool = True  # whether a file that is there may be replaced, also one that has appeared since

    @property
    def exists(self) -> bool:
        return not self.stream and self.path.exists()

    def crc32c(self) -> int:
        """The checksum of the existing file."""
        try:
            with self.path.open("rb") as file:
                return crc32c_of(file)
        except OSError as error:
            raise InvalidInput(f"cannot read {escaped(self.shown)}: {error.strerror}") from error

    def holds(self, *, size: int | None, crc32c: int | None) -> bool:
        """Whether the file exists and has these bytes."""
        return self.exists and self.path.stat().st_size == size and self.crc32c() == crc32c


def destination(text: str, *, name: str, inputs: Iterable[Path] = (), overwrite: bool = False) -> Destination:
    """The destination that `text` names; `name` is for a directory, and `inputs` must not be overwritten.

    Without `overwrite` a file that does not exist yet is not replaced if another command makes it meanwhile.
    InvalidInput for a destination that cannot be written.
    """
    if text == STDOUT:
        if sys.stdout.isatty():
            raise InvalidInput("standard output is a terminal; redirect it, or name a file with -o")
        return Destination(shown=STDOUT, path=Path("/dev/stdout"), stream=True, is_stdout=True)
    if not text:
        raise InvalidInput("the output file has no name; name one with -o")
    shown = escaped(text)
    if os.path.isdir(text):  # noqa: PTH112  (false for a name that no file can have)
        text = str(Path(text) / name)
        shown = escaped(text)
    elif text.endswith(os.sep):
        raise InvalidInput(f"directory {shown} does not exist; create it first")
    found = _stat(text, shown)
    if found is not None and not stat.S_ISREG(found.st_mode):
        return _stream(text, shown, found)
    if found is not None and (_is_stdout(found) or os.path.realpath(Path(text).parent) in _DESCRIPTORS):
        return Destination(shown=text, path=Path(text), stream=True, is_stdout=_is_stdout(found))
    path = Path(os.path.realpath(text))
    check_directory(path.parent, shown)
    longest = os.pathconf(path.parent, "PC_NAME_MAX")
    if len(os.fsencode(path.name)) > longest:
        raise InvalidInput(f"cannot write {shown}: its name is longer than {longest} bytes")
    if found is not None and any(_is_same(found, each) for each in inputs):
        raise InvalidInput(
            f"{shown} is one of the inputs and would be overwritten; choose another file with -o"
        )
    return Destination(shown=text, path=path, replaces=overwrite or found is not None)


def check_directory(parent: Path, shown: str) -> None:
    """Raise InvalidInput unless this directory takes the file `shown`."""
    if not os.path.isdir(parent):  # noqa: PTH112
        if os.path.lexists(parent):
            raise InvalidInput(f"cannot write {shown}: {parent} is not a directory")
        raise InvalidInput(f"cannot write {shown}: directory {parent} does not exist; create it first")
    if not os.access(parent, os.W_OK | os.X_OK):
        raise InvalidInput(f"cannot write {shown}: directory {parent} is not writable")
    _probe(parent, shown)


def local_name(name: str, *, otherwise: str) -> str:
    """A file name that a server proposes, unless it could deceive or name another directory."""
    try:
        return checked_name(name)
    except InvalidInput:
        return otherwise


def _stat(text: str, shown: str) -> os.stat_result | None:
    try:
        return os.stat(text)  # noqa: PTH116  (follows symlinks as `open` does)
    except FileNotFoundError:
        return None
    except NotADirectoryError as error:
        raise InvalidInput(f"cannot write {shown}: {Path(text).parent} is not a directory") from error
    except (OSError, ValueError) as error:
        raise InvalidInput(f"cannot write {shown}: {getattr(error, 'strerror', error)}") from error


def _stream(text: str, shown: str, found: os.stat_result) -> Destination:
    null = os.stat(os.devnull)  # noqa: PTH116
    is_null = stat.S_ISCHR(found.st_mode) and found.st_rdev == null.st_rdev
    if stat.S_ISFIFO(found.st_mode) or is_null:
        return Destination(shown=text, path=Path(text), stream=True, is_stdout=_is_stdout(found))
    if stat.S_ISDIR(found.st_mode):
        raise InvalidInput(f"{shown} is a directory; name a file")
    raise InvalidInput(f"{shown} is a device or a socket, not a regular file; name a file with -o")


def _is_stdout(found: os.stat_result) -> bool:
    try:
        return os.path.samestat(found, os.fstat(_STDOUT_DESCRIPTOR))
    except OSError:
        return False


def _is_same(found: os.stat_result, path: Path) -> bool:
    try:
        return os.path.samestat(found, path.stat())
    except OSError:
        return False


def _probe(directory: Path, shown: str) -> None:
    """Create a file without a name: permissions do not tell whether a file system takes new files."""
    from tempfile import TemporaryFile

    try:
        TemporaryFile(dir=directory).close()
    except OSError as error:
        cause = "it takes no files" if isinstance(error, FileNotFoundError) else error.strerror
        raise InvalidInput(
            f"cannot write {shown}: no file can be created in {directory}: {cause}; choose another directory"
        ) from error
