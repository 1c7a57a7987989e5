"""The data directory id, stored in a file of the directory and in its database."""

import os
import uuid
from collections.abc import Callable
from pathlib import Path

from facecli.core.disk import flush
from facecli.core.errors import InvalidInput, PolicyRefused
from facecli.core.os_errors import translate_os_errors

FILE = "directory.id"


def identity(directory: Path) -> str:
    """The id of a data directory; InvalidInput if it has none yet."""
    file = directory / FILE
    with translate_os_errors(str(file)):
        if file.exists():
            return file.read_text().strip()
    raise InvalidInput(f"{directory} is not the data directory of a server; start facecli serve on it first")


def check_identity(directory: Path, *, known: Callable[[str], bool]) -> None:
    """Raise PolicyRefused when the database belongs to another directory.

    A server deletes files that no row refers to. With the wrong database that would be all of them.
    """
    if not known(identity(directory)):
        raise PolicyRefused(
            f"this database does not know {directory} and its files; pass the --data-dir and --database that "
            f"belong together, or restore both from one backup"
        )


def name_directory(directory: Path, *, remember: Callable[[str], None]) -> str:
    """The id of a data directory, created if it has none. The caller holds the lock of the directory."""
    file = directory / FILE
    if not file.exists():
        new = uuid.uuid4().hex[:12]
        remember(new)  # first: an id that only the database has is harmless
        record_identity(directory, new)
    return identity(directory)


def record_identity(directory: Path, data_dir_id: str) -> None:
    """Write the id of a data directory durably."""
    file = directory / FILE
    with translate_os_errors(str(file)):
        partial = file.with_suffix(".part")
        with partial.open("w") as output:
            output.write(f"{data_dir_id}\n")
            output.flush()
            os.fsync(output.fileno())
        partial.replace(file)
        flush(directory)
