"""Text files that people write, with any editor."""

import codecs
from pathlib import Path

from facecli.core.errors import InvalidInput


def read_text(file: Path) -> str:
    """The text of a UTF-8 file; FileNotFoundError if it is missing, InvalidInput if it cannot be read."""
    try:
        return decoded(file.read_bytes(), str(file))
    except FileNotFoundError:
        raise
    except OSError as error:
        raise InvalidInput(f"cannot read {file}: {error.strerror}") from error


def decoded(data: bytes, name: str) -> str:
    """The text, without a byte order mark; InvalidInput, without quoting it, for another encoding."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or b"\0" in data:
        raise InvalidInput(f"{name} is not in UTF-8 but perhaps in UTF-16; save it as UTF-8")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InvalidInput(f"{name} is not in UTF-8; save it as UTF-8") from None
