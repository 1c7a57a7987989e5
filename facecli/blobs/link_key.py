"""The key that signs links: in the database, so that every server of it opens the links of the others."""

import secrets
from collections.abc import Callable
from pathlib import Path

from facecli.core.os_errors import translate_os_errors

NAME = "links"
FORMER_FILE = "links.key"  # in the data directory, before several servers could share the key
KEY_BYTES = 32


def link_key(directory: Path, *, remember: Callable[[str, bytes], bytes]) -> bytes:
    """The key. `remember` stores a value under a name, unless there is one, and returns the stored one."""
    file = directory / FORMER_FILE
    with translate_os_errors(str(file)):
        former = file.read_bytes() if file.exists() else b""
    return remember(NAME, former or secrets.token_bytes(KEY_BYTES))
