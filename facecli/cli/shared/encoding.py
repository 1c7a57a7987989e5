"""Encoding of the standard streams: a plain ASCII locale gets plain ASCII."""

import codecs
import io
import sys

from facecli.config.environment import ENVIRONMENT

ERRORS = "facecli-ascii"  # name of the error handler
_PLAIN_LOCALES = {"", "C", "POSIX"}
_SPELLED = {
    "…": "...",
    "✓": "ok",
    "✗": "x",
    "·": "-",
    "—": "--",
    "–": "-",
    "━": "=",
    "─": "-",
    "→": "->",
    "×": "x",
    "‘": "'",
    "’": "'",
    "“": '"',
    "”": '"',
}


def set_up_encoding() -> None:
    """Write what a stream's encoding lacks as ASCII: symbols spelled out, other characters escaped.

    In the C locale, stderr and a terminal are ASCII, although Python itself assumes UTF-8 there. Results in a
    file or pipe keep their bytes.
    """
    codecs.register_error(ERRORS, _spell)
    plain = _is_plain_locale()
    for stream in (sys.stdout, sys.stderr):
        assert isinstance(stream, io.TextIOWrapper)
        if plain and (stream is sys.stderr or stream.isatty()):
            stream.reconfigure(encoding="ascii", errors=ERRORS)
        else:
            stream.reconfigure(errors=ERRORS)


def _is_plain_locale() -> bool:
    """Whether the locale of the environment is C, seen through Python's replacement of it (PEP 538)."""
    if ENVIRONMENT.get("PYTHONIOENCODING") or ENVIRONMENT.get("PYTHONUTF8") == "1":
        return False
    everything, characters, language = (ENVIRONMENT.get(name, "") for name in ("LC_ALL", "LC_CTYPE", "LANG"))
    if not everything and characters == "C.UTF-8":
        characters = ""
    return (everything or characters or language) in _PLAIN_LOCALES


def _spell(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    text = error.object[error.start : error.end]
    spelled = (_SPELLED.get(c) or c.encode("ascii", "backslashreplace").decode() for c in text)
    return "".join(spelled), error.end
