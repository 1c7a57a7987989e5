"""Foreign text made safe to print."""


def escaped(text: str) -> str:
    """The text on one line, with control, bidi and other unprintable characters written out."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
