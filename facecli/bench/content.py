"""The content that a bench sends."""

import os
from pathlib import Path
from random import Random

from facecli.core.disk import FULL
from facecli.core.errors import InvalidInput, LimitReached

BLOCK_SIZE = 1024 * 1024  # bytes


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
