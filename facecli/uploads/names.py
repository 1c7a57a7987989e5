"""Display names of files: data, never a path."""

import unicodedata
from urllib.parse import quote

from facecli.core.errors import InvalidInput

MAX_NAME_BYTES = 255

_CONTROL = frozenset({"Cc", "Cs", "Zl", "Zp"})  # Unicode's categories; the last two end a line
_BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def checked_name(name: str) -> str:
    """The display name in NFC; InvalidInput for one that could deceive a reader or a shell."""
    name = unicodedata.normalize("NFC", name)
    if not name:
        raise InvalidInput("the file has no name")
    if len(name.encode(errors="surrogatepass")) > MAX_NAME_BYTES:
        raise InvalidInput(f"the file name is longer than {MAX_NAME_BYTES} bytes")
    if name in {".", ".."} or "/" in name or "\\" in name:
        raise InvalidInput(f"{name!r} is a path; send the name alone")
    if any(c in _BIDI or unicodedata.category(c) in _CONTROL for c in name):
        raise InvalidInput(f"the file name {name!r} has control characters")
    return name


def file_url(upload_id: str, name: str) -> str:
    """The URL of an uploaded file: `/uploads/<id>/<name>`."""
    return f"/uploads/{upload_id}/{quote(name, safe='')}"
