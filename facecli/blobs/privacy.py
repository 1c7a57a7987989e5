"""Keeps a data directory unreadable for other users of the machine.

Theory of operation. The directory has mode 700, so nobody else reaches what is inside, and new files get no
permission for others either (umask). A directory that was open is closed, together with the files inside,
because somebody may hold a link to one. Only a directory of facecli is changed: one with other content,
such as /tmp given by mistake, is refused.
"""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from facecli.core.errors import InvalidInput, PolicyRefused

UMASK = 0o077
OPEN = 0o077  # permission bits of group and others

_NAMES = ("directory.", "facecli.db", "queue.db", "server.lock", "backup.")  # beginnings of names of files
_FOLDERS = frozenset({"uploads", "outputs", "work", "workers", "cache", "lost+found"})


@contextmanager
def private_files() -> Iterator[None]:
    """Create files that only this user can read, in this process."""
    before = os.umask(UMASK)
    try:
        yield
    finally:
        os.umask(before)


def mode_of(directory: Path) -> int:
    """The permission bits of a directory; 0 if there is none."""
    try:
        return stat.S_IMODE(directory.stat().st_mode)
    except FileNotFoundError:
        return 0
    except OSError as error:
        raise InvalidInput(f"cannot use the directory {directory}: {error.strerror}") from error


def describe(directory: Path) -> str:
    """`other users of this machine can read /srv/facecli (mode 755)`."""
    return f"other users of this machine can read {directory} (mode {mode_of(directory):o})"


def close_to_others(directory: Path) -> bool:
    """Close an existing data directory and everything inside; return whether it was open.

    PolicyRefused for a directory of another user, or with files that are not of facecli.
    """
    mode = mode_of(directory)
    if not mode & OPEN:
        return False
    readable = describe(directory)
    if foreign := _foreign_name(directory):
        raise PolicyRefused(
            f"{readable}, and it holds {foreign}, which is not of facecli; choose another --data-dir, "
            f"or run chmod 700 {directory}"
        )
    try:
        directory.chmod(0o700)
    except OSError as error:
        raise PolicyRefused(
            f"{readable}, and it belongs to another user; ask that user to run chmod 700 {directory}"
        ) from error
    for folder, folders, files in os.walk(directory):
        for name in (*folders, *files):
            _close(Path(folder) / name)
    return True


def _foreign_name(directory: Path) -> str:
    for path in directory.iterdir():
        if path.name not in _FOLDERS and not path.name.startswith(_NAMES):
            return path.name
    return ""


def _close(path: Path) -> None:
    """Remove the permissions of group and others; links and files of other users stay as they are."""
    with suppress(OSError):
        mode = path.lstat().st_mode
        if mode & OPEN and not stat.S_ISLNK(mode):
            path.chmod(stat.S_IMODE(mode) & ~OPEN)
