"""The generation of a data directory: shows that a database is older than the files.

Theory of operation. A running server raises the generation when rows have changed: first in the database,
then in a file of the directory, each durably. So the directory is never ahead of the database that belongs to
it. If it is, somebody has put back an older copy of the database, which does not know the newest files.
"""

import os
from pathlib import Path

from facecli.core.disk import flush
from facecli.core.errors import PolicyRefused, StorageFailed
from facecli.core.os_errors import translate_os_errors

FILE = "directory.generation"


def generation(directory: Path) -> int:
    """The generation of a data directory; 0 if it has none yet. StorageFailed if it is not a number."""
    file = directory / FILE
    with translate_os_errors(str(file)):
        try:
            text = file.read_text().strip()
        except FileNotFoundError:
            return 0
        except UnicodeDecodeError:
            text = ""
    if not text.isascii() or not text.isdigit():
        raise StorageFailed(f"{file} holds no number; facecli fsck --repair writes it again")
    return int(text)


def check_generation(directory: Path, *, known: int) -> None:
    """Raise PolicyRefused when the database, at generation `known`, is older than the directory."""
    newest = generation(directory)
    if newest > known:
        raise PolicyRefused(older(directory, known=known, newest=newest))


def older(directory: Path, *, known: int, newest: int) -> str:
    """The text for a database that is older than the directory."""
    return (
        f"the database is older than {directory} and does not know its newest files (it is at generation "
        f"{known}, the directory at {newest}); put the newer database back, or adopt this one with "
        "facecli fsck --repair, which moves unknown files to lost+found"
    )


def record_generation(directory: Path, number: int) -> None:
    """Write the generation durably; the database has it already."""
    file = directory / FILE
    partial = file.with_suffix(".part")
    with translate_os_errors(str(file)):
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            os.write(descriptor, f"{number}\n".encode())
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        partial.replace(file)
        flush(directory)
