"""Escaping and shortening of untrusted text before it is printed or quoted."""

MAX_QUOTED = 100  # characters of an id or a name that a message quotes


def escaped(text: str) -> str:
    """The text on one line, with control, bidi and other unprintable characters escaped."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def shortened(text: str, length: int = MAX_QUOTED) -> str:
    """The text, or its beginning with an ellipsis: at most `length` characters."""
    return text if len(text) <= length else f"{text[: length - 1]}…"


def bounded(text: str, size: int) -> str:
    """The text with every long word shortened, and at most `size` bytes in UTF-8 of it."""
    words = " ".join(shortened(word) for word in text[: size * 2].split(" "))
    return words.encode(errors="replace")[:size].decode(errors="ignore")
