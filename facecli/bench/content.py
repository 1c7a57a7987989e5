"""The bytes that a bench sends: random ones, in a file that is written once."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

from facecli.bench.figures import MB
from facecli.core.disk import FULL
from facecli.core.errors import InvalidInput, LimitReached

BLOCK = 1024 * 1024  # bytes
MARGIN = 64 * 1024 * 1024  # bytes that a bench leaves free, and needs for its server's databases


@contextmanager
def scratch(parent: Path | None) -> Iterator[Path]:
    """A new directory in `parent`, or among temporary files; removed on leaving."""
    try:
        made = Path(tempfile.mkdtemp(prefix="facecli-bench-", dir=parent))
    except OSError as error:
        where = parent or tempfile.gettempdir()
        raise InvalidInput(f"cannot make a directory in {where}: {error.strerror}") from error
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


def write_content(path: Path, *, size: int, seed: int) -> None:
    """Nothing compresses it, and it is on the disk: its writing back slows no run.

    LimitReached when the disk is full meanwhile.
    """
    chance = Random(seed)
    try:
        with path.open("wb") as file:
            for begin in range(0, size, BLOCK):
                file.write(chance.randbytes(min(BLOCK, size - begin)))
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        full = error.errno in FULL
        raise (LimitReached if full else InvalidInput)(f"cannot write {path}: {error.strerror}") from error


def check_room(folder: Path, needed: int, *, cure: str) -> None:
    """LimitReached when so many bytes have no room there."""
    check_free(shutil.disk_usage(folder).free, needed, where=str(folder.parent), cure=cure)


def check_free(free: int, needed: int, *, where: str, cure: str) -> None:
    """LimitReached when so many bytes have no room in what is `free` at that target."""
    if needed + MARGIN > free:
        raise LimitReached(
            f"the bench needs {(needed + MARGIN) / MB:.0f} MB in {where}, "
            f"which has {free / MB:.0f} MB left; {cure}"
        )
