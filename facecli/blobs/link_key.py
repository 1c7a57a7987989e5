"""The key that signs links, in a file of the data directory that only its owner can read."""

import os
import secrets
from pathlib import Path

from facecli.core.disk import flush
from facecli.core.os_errors import translate_os_errors

FILE = "links.key"
KEY_BYTES = 32


def link_key(directory: Path) -> bytes:
    """The key, created when there is none. The caller holds the lock of the directory."""
    file = directory / FILE
    with translate_os_errors(str(file)):
        if not file.exists():
            partial = file.with_suffix(".part")
            partial.unlink(missing_ok=True)
            with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as output:
                output.write(secrets.token_bytes(KEY_BYTES))
                output.flush()
                os.fsync(output.fileno())
            partial.replace(file)
            flush(directory)
        return file.read_bytes()
