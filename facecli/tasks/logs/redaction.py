"""Redaction of log texts: the owner of a task reads them, and not the server's folders and secrets.

It works on patterns, so a secret in an unusual form stays. An absolute path keeps its last part, and a URL
loses everything before its last `@`.
"""

import re

MAX_INPUT = 16_000  # characters that are searched; every pattern is bounded, so this takes milliseconds

_HIDDEN = "***"
_TOKEN = re.compile(r"\bfc_[0-9a-f]{16}_[0-9a-f]+")
_USER_INFO = re.compile(r"://\S{1,300}@")
_BEARER = re.compile(r"\b(bearer|basic)\s+[\w.~+/=-]{8,}", re.IGNORECASE)
_NAMED_SECRET = re.compile(
    r"""\b([\w-]{0,40}(?:passw(?:or)?d|secret|token|api[_-]?key|authorization|credential|signature)[\w-]{0,40}
    ['"]?\s{0,3}[=:]\s{0,3})(?:"[^"]*"|'[^']*'|[^\s,;&)]+)""",
    re.IGNORECASE | re.VERBOSE,
)
_FILE_URL = re.compile(r"\bfile://", re.IGNORECASE)
_PATH = re.compile(r"""(?<![\w/.])/(?:[^/\s'"<>|:,;()]+/)+([^/\s'"<>|:,;()]*)""")


def redacted(text: str, *, directory: str = "") -> str:
    """The text without secrets and absolute paths; `directory` is hidden even with spaces in its name."""
    text = text[:MAX_INPUT]
    text = _TOKEN.sub(_HIDDEN, text)
    text = _BEARER.sub(rf"\1 {_HIDDEN}", text)
    text = _USER_INFO.sub(f"://{_HIDDEN}@", text)
    text = _NAMED_SECRET.sub(rf"\1{_HIDDEN}", text)
    if directory:
        text = text.replace(directory, "")
    return _PATH.sub(r"…/\1", _FILE_URL.sub("file:", text))
