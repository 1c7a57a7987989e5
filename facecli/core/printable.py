"""Escaping and shortening of untrusted text before it is printed or quoted.

Control characters and escape sequences could redraw a terminal, line separators forge a line of output, and
bidi overrides reverse it. Invisible format characters could hide text; only joiners and direction marks,
which emoji and several scripts need, stay.
"""

import unicodedata

MAX_QUOTED = 100  # characters of an id or a name that a message quotes

# Unicode's categories: control, format, surrogate, unassigned, private use, line and paragraph separator.
_UNPRINTABLE = frozenset({"Cc", "Cf", "Cs", "Cn", "Co", "Zl", "Zp"})
# Joiners, and the marks of direction in Hebrew and Arabic names, which reverse nothing but neighbours.
_KEPT = frozenset("\u200c\u200d\u200e\u200f\u061c")


def escaped(text: str) -> str:
    """The text on one line, with control, bidi and other unprintable characters escaped."""
    if text.isprintable():
        return text
    return "".join(c if _is_printable(c) else c.encode("unicode_escape").decode() for c in text)


def escaped_lines(text: str) -> str:
    """The text with every line escaped; the line breaks stay."""
    return "\n".join(map(escaped, text.split("\n")))


def shortened(text: str, limit: int) -> str:
    """At most `limit` characters, the last of which is an ellipsis if some were cut off."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


def bounded(text: str, size: int) -> str:
    """The text with every long word shortened, and at most `size` bytes in UTF-8 of it."""
    words = " ".join(shortened(word, MAX_QUOTED) for word in text[: size * 2].split(" "))
    return words.encode(errors="replace")[:size].decode(errors="ignore")


def _is_printable(character: str) -> bool:
    return character in _KEPT or unicodedata.category(character) not in _UNPRINTABLE
