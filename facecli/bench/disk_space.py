"""Disk space for a bench: a scratch directory, and checks that there is room."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from facecli.bench.figures import MB
from facecli.core.errors import InvalidInput, LimitReached

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


def check_disk_space(folder: Path, needed: int, *, remedy: str) -> None:
    """LimitReached when the directory's disk has no room for `needed` bytes."""
    check_free_bytes(shutil.disk_usage(folder).free, needed, where=str(folder.parent), remedy=remedy)


def check_free_bytes(free: int, needed: int, *, where: str, remedy: str) -> None:
    """LimitReached when `needed` bytes do not fit in the `free` ones at `where`."""
    if needed + MARGIN > free:
        raise LimitReached(
            f"the bench needs {(needed + MARGIN) / MB:.0f} MB in {where}, "
            f"which has {free / MB:.0f} MB left; {remedy}"
        )
