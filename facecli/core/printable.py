"""Escaping of untrusted text before it is printed."""


def escaped(text: str) -> str:
    """The text on one line, with control, bidi and other unprintable characters escaped."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
