"""Display names of files: data, never a path. Client and server apply the same rule."""

import unicodedata
from urllib.parse import quote

from facecli.core.errors import InvalidInput

MAX_NAME_BYTES = 255

_CONTROL = frozenset({"Cc", "Zl", "Zp"})  # Unicode's categories; the last two end a line
_SURROGATE = "Cs"  # stands for a byte of a name that is not UTF-8
_BIDI = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")  # embeddings, overrides, isolates


def checked_name(name: str) -> str:
    """The display name in NFC; InvalidInput for one that could deceive a reader or a terminal.

    Everything that people put into names is allowed: spaces of every kind, emoji, marks of direction.
    """
    name = unicodedata.normalize("NFC", name)
    if not name:
        raise InvalidInput("the file has no name")
    if name in {".", ".."} or "/" in name:
        raise InvalidInput(f"{name!a} is a path; send the name alone")
    categories = {unicodedata.category(character) for character in name}
    if _SURROGATE in categories:
        raise InvalidInput(f"the file name {name!a} is not valid UTF-8; rename the file")
    if not categories.isdisjoint(_CONTROL) or not _BIDI.isdisjoint(name):
        raise InvalidInput(
            f"the file name {name!a} has control characters or overrides of direction; rename the file"
        )
    if len(name.encode()) > MAX_NAME_BYTES:
        raise InvalidInput(f"the file name is longer than {MAX_NAME_BYTES} bytes")
    return name


def file_url(upload_id: str, name: str) -> str:
    """The URL of an uploaded file: `/uploads/<id>/<name>`."""
    return f"/uploads/{upload_id}/{quote(name, safe='')}"
