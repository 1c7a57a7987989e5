"""Text measured in terminal cells: wide characters take two, combining marks none."""

import unicodedata

from rich.cells import get_character_cell_size

from facecli.core.printable import escaped

MAX_MARKS = 3  # combining marks kept on one character
# The letters of which flags are made, drawn as flags by some terminals only.
_FLAG_LETTERS = {0x1F1E6 + number: chr(ord("A") + number) for number in range(26)}
# Joiners, direction marks, variation selectors, skin tones: terminals disagree on the width of these
_JOINING = frozenset(
    "\u200c\u200d\u200e\u200f\u061c\ufe0e\ufe0f\U0001f3fb\U0001f3fc\U0001f3fd\U0001f3fe\U0001f3ff"
)


def displayable(text: str, *, ascii_only: bool = False) -> str:
    """The text on one line, with a width on which all terminals agree."""
    kept = list[str]()
    marks = 0
    for character in text.translate(_FLAG_LETTERS):
        category = unicodedata.category(character)
        marks = marks + 1 if category in {"Mn", "Me"} else 0
        if character in _JOINING or marks > MAX_MARKS:
            continue
        kept.append(" " if category == "Zs" else character)
    line = escaped("".join(kept))
    return line.encode("ascii", "backslashreplace").decode() if ascii_only else line


def cells(text: str) -> int:
    """The width of a displayable text in cells."""
    return len(text) if text.isascii() else sum(map(_width, text))


def cut(text: str, width: int, *, ellipsis: str) -> str:
    """The text in at most `width` cells; the ellipsis replaces its end."""
    return text if cells(text) <= width else _head(text, width - len(ellipsis)) + ellipsis[: max(0, width)]


def cut_middle(text: str, width: int, *, ellipsis: str) -> str:
    """The text in at most `width` cells; the ellipsis replaces its middle, so that a suffix stays."""
    if cells(text) <= width:
        return text
    tail = _head(text[::-1], max(0, width - len(ellipsis)) // 2)[::-1]
    while tail and not _width(tail[0]):  # a mark whose character is cut off
        tail = tail[1:]
    return cut(text, width - cells(tail), ellipsis=ellipsis) + tail


def padded(text: str, width: int, *, right: bool = False) -> str:
    """The text filled up with spaces to `width` cells."""
    space = " " * (width - cells(text))
    return space + text if right else text + space


def _head(text: str, width: int) -> str:
    """The longest beginning of at most `width` cells."""
    end = used = 0
    for end, character in enumerate(text):
        used += _width(character)
        if used > width:
            return text[:end]
    return text


def _width(character: str) -> int:
    wide = unicodedata.east_asian_width(character) in {"W", "F"}
    return 2 if wide else get_character_cell_size(character)
