"""Keys of blobs: `uploads/<id>`, `outputs/<id>/<run>`; the same in every store."""

import re

from facecli.core.errors import InvalidInput

RESERVED = "data"  # what a store keeps below a key; no part of a key

_KEY_PART = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}", re.ASCII)


def is_key_part(name: str) -> bool:
    """Whether `name` is valid between two slashes of a key."""
    return bool(_KEY_PART.fullmatch(name)) and name != RESERVED


def checked_key(key: str) -> str:
    """InvalidInput for anything but a key."""
    if "/" not in key:
        raise InvalidInput(f"{key!r} is not a blob key: it has no prefix")
    return checked_prefix(key)


def checked_prefix(prefix: str) -> str:
    """InvalidInput for anything but a key, or the first parts of one."""
    if not all(map(is_key_part, prefix.split("/"))):
        raise InvalidInput(f"{prefix!r} is not a blob key")
    return prefix
