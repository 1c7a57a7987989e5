"""The content that a bench sends, and the disk space it needs."""

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

BLOCK_SIZE = 1024 * 1024  # bytes
MARGIN = 64 * 1024 * 1024  # bytes left free, including those for the server's databases


@contextmanager
def scratch_directory(parent: Path | None) -> Iterator[Path]:
    """Create a directory in `parent` or the system's temporary directory; remove it on exit."""
    try:
        folder = Path(tempfile.mkdtemp(prefix="facecli-bench-", dir=parent))
    except OSError as error:
        where = parent or tempfile.gettempdir()
        raise InvalidInput(f"cannot make a directory in {where}: {error.strerror}") from error
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def write_content(path: Path, *, size: int, seed: int) -> None:
    """Write incompressible bytes and flush them, so that no writeback slows a run.

    LimitReached when the disk is full.
    """
    random = Random(seed)
    try:
        with path.open("wb") as file:
            for begin in range(0, size, BLOCK_SIZE):
                file.write(random.randbytes(min(BLOCK_SIZE, size - begin)))
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        full = error.errno in FULL
        raise (LimitReached if full else InvalidInput)(f"cannot write {path}: {error.strerror}") from error


def check_disk_space(folder: Path, needed: int, *, cure: str) -> None:
    """LimitReached when the directory's disk has no room for `needed` bytes."""
    check_free_bytes(shutil.disk_usage(folder).free, needed, where=str(folder.parent), cure=cure)


def check_free_bytes(free: int, needed: int, *, where: str, cure: str) -> None:
    """LimitReached when `needed` bytes do not fit in the `free` ones at `where`."""
    if needed + MARGIN > free:
        raise LimitReached(
            f"the bench needs {(needed + MARGIN) / MB:.0f} MB in {where}, "
            f"which has {free / MB:.0f} MB left; {cure}"
        )
