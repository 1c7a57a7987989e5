"""Files with secrets: tokens and private keys."""

import os
import stat
from pathlib import Path

from facecli.core.errors import InvalidInput

_OTHERS = stat.S_IRGRP | stat.S_IWGRP | stat.S_IROTH | stat.S_IWOTH


def read_private(path: str, *, what: str) -> bytes:
    """Read a file with a secret; InvalidInput when it is unreadable, or when other users could read it.

    As with PostgreSQL's keys, a file of root may be readable by its group; any other one by its owner alone.
    """
    try:
        with Path(path).open("rb") as file:
            status = os.fstat(file.fileno())
            content = file.read()
    except OSError as error:
        raise InvalidInput(f"cannot read the {what} {path}: {error.strerror}") from error
    forbidden = _OTHERS & ~(stat.S_IRGRP if status.st_uid == 0 else 0)
    if stat.S_ISREG(status.st_mode) and status.st_mode & forbidden:
        raise InvalidInput(
            f"the {what} {path} can be read or changed by other users of this machine "
            f"(mode {stat.S_IMODE(status.st_mode):o}); run chmod 600 {path}"
        )
    return content
