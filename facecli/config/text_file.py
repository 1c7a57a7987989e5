"""Reading of text files that people write, with any editor."""

import codecs
from pathlib import Path

from facecli.core.errors import InvalidInput


def read_text(file: Path, *, kind: str = "") -> str:
    """The text of a UTF-8 file, without a byte order mark. `kind` precedes its path in errors.

    FileNotFoundError if it is missing; InvalidInput, without quoting the content, if it cannot be read.
    """
    named = f"{kind} {file}".strip()
    try:
        data = file.read_bytes()
    except FileNotFoundError:
        raise
    except OSError as error:
        raise InvalidInput(f"cannot read {named}: {error.strerror}") from error
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or b"\0" in data:
        raise InvalidInput(f"{named} is not in UTF-8 but perhaps in UTF-16; save it as UTF-8")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InvalidInput(f"{named} is not in UTF-8; save it as UTF-8") from None
