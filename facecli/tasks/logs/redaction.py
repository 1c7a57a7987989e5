"""Redaction of log texts: the owner of a task reads them, and not the server's folders and secrets.

It works on patterns, so a secret in an unusual form stays, and so does the part after a space of a path
without quotes. An absolute path keeps its last part, and a URL loses everything before its last `@`.
"""

import re

from facecli.tasks.logs.secrets import without_secrets

MAX_INPUT = 16_000  # characters that are searched; every pattern is bounded, so this takes milliseconds

_FILE_URL = re.compile(r"\bfile://", re.IGNORECASE)
_QUOTED_PATH = re.compile(r"""(['"`])/(?:(?!\1)[^/\r\n]){1,255}/(?:(?!\1)[^\r\n]){0,4000}\1""")
_PATH = re.compile(r"""(?<![\w/.…])/(?:[^/\s'"<>|:,;()]+/)+([^/\s'"<>|:,;()]*)""")


def redacted(text: str, *, directory: str = "") -> str:
    """The text without secrets and absolute paths; `directory` is hidden even with spaces in its name."""
    text = without_secrets(text[:MAX_INPUT])
    if directory:
        text = text.replace(directory, "")
    text = _QUOTED_PATH.sub(_last_part, _FILE_URL.sub("file:", text))
    return _PATH.sub(r"…/\1", text)


def _last_part(path: re.Match[str]) -> str:
    quote = path[1]
    return f"{quote}…/{path[0][1:-1].rpartition('/')[2]}{quote}"
