"""The bytes that a bench sends: random ones, in a file that is written once."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

from facecli.core.errors import InvalidInput, LimitReached

BLOCK = 1024 * 1024  # bytes
MARGIN = 64 * 1024 * 1024  # bytes that a bench leaves free, and needs for its server's databases


@contextmanager
def scratch(parent: Path | None, *, keep: bool) -> Iterator[Path]:
    """A new directory in `parent`, or among temporary files; removed on leaving unless it is to `keep`."""
    try:
        made = Path(tempfile.mkdtemp(prefix="facecli-bench-", dir=parent))
    except OSError as error:
        raise InvalidInput(f"cannot make a directory in {error.filename}: {error.strerror}") from error
    try:
        yield made
    finally:
        if not keep:
            shutil.rmtree(made, ignore_errors=True)


def write_content(path: Path, *, size: int, seed: int) -> None:
    """Nothing compresses it, and it is on the disk: its writing back slows no run."""
    chance = Random(seed)
    with path.open("wb") as file:
        for begin in range(0, size, BLOCK):
            file.write(chance.randbytes(min(BLOCK, size - begin)))
        file.flush()
        os.fsync(file.fileno())


def check_room(folder: Path, needed: int) -> None:
    """LimitReached when so many bytes have no room there."""
    check_free(shutil.disk_usage(folder).free, needed, where=str(folder))


def check_free(free: int, needed: int, *, where: str) -> None:
    if needed + MARGIN > free:
        raise LimitReached(
            f"the bench would write {needed / 1e6:.0f} MB to {where}, which has {free / 1e6:.0f} MB left; "
            "choose a smaller --size, or another --data-dir"
        )
