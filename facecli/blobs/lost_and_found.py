"""Keeps files that no row refers to in the directory lost+found, for an operator to decide about."""

from itertools import count
from pathlib import Path

from facecli.core.disk import flush
from facecli.core.os_errors import translate_os_errors

NAME = "lost+found"


def move_to_lost_and_found(directory: Path, name: str) -> Path:
    """Move a file or directory of the data directory, by its relative name; return where it is now."""
    source = directory / name
    with translate_os_errors(name):
        target = directory / NAME / name
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        free = (target.with_name(f"{target.name}.{number}") for number in count(1))
        while target.exists():
            target = next(free)
        source.rename(target)
        for changed in (source.parent, target.parent):
            flush(changed)
        if source.parent.parent != directory and not any(source.parent.iterdir()):
            source.parent.rmdir()  # the folder of a task, which would be an orphan itself
    return target
