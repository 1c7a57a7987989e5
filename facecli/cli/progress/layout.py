"""The layout of rows in a terminal: aligned columns, one line a row, whatever the width."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from facecli.cli.progress.cells import cells, cut, cut_middle, displayable, padded
from facecli.cli.progress.rows import RowState, RowText

NARROWEST_BAR, WIDEST_BAR = 10, 40  # cells
SHORTEST = {"name": 13, "note": 12}  # cells that a text keeps if it is that long; a short task ID fits
_GAP = 1
_COLUMNS = ("name", "bar", "percent", "amount", "rate", "time", "note")
_DROPPED_IN_TURN = ("rate", "bar", "amount", "note", "time")  # the least important first


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """Text of a column in one line, filled up to the column's width."""

    column: str
    text: str
    state: RowState


@dataclass(frozen=True, slots=True, kw_only=True)
class Symbols:
    """The characters of a bar and of an ellipsis."""

    filled: str
    empty: str
    ellipsis: str


UNICODE = Symbols(filled="━", empty="─", ellipsis="…")
ASCII = Symbols(filled="#", empty="-", ellipsis="~")


def lines(rows: Sequence[RowText], width: int, symbols: Symbols) -> list[list[Cell]]:
    """The cells of each row; a line takes at most `width` cells of the terminal, from 20 up."""
    texts = [_texts(row, symbols) for row in rows]
    widths = _widths(texts, width)
    return [
        [_cell(column, text, widths[column], row, symbols) for column in widths]
        for row, text in zip(rows, texts, strict=True)
    ]


def _texts(row: RowText, symbols: Symbols) -> dict[str, str]:
    ascii_only = symbols is ASCII
    return {
        "name": displayable(row.name, ascii_only=ascii_only),
        "percent": row.percent,
        "amount": row.amount,
        "rate": row.rate,
        "time": row.time,
        "note": displayable(row.note, ascii_only=ascii_only),
    }


def _widths(texts: Sequence[Mapping[str, str]], width: int) -> dict[str, int]:
    """The width of each shown column, in order."""
    longest = {column: max((cells(text.get(column, "")) for text in texts), default=0) for column in _COLUMNS}
    longest["bar"] = WIDEST_BAR if longest["percent"] else 0
    shortest = dict(longest)
    shortest["bar"] = min(NARROWEST_BAR, longest["bar"])
    for column, cut_to in SHORTEST.items():
        shortest[column] = min(longest[column], cut_to)
    shown = {column: shortest[column] for column in _COLUMNS if longest[column]}
    for column in _DROPPED_IN_TURN:
        if _total(shown) <= width:
            break
        shown.pop(column, None)
    for column in ("name", "note", "bar"):
        if column in shown:
            spare = width - _total(shown)
            shown[column] = max(1, min(longest[column], shown[column] + spare))
    return shown


def _total(widths: Mapping[str, int]) -> int:
    return sum(widths.values()) + _GAP * (len(widths) - 1)


def _cell(column: str, texts: Mapping[str, str], width: int, row: RowText, symbols: Symbols) -> Cell:
    match column:
        case "bar":
            text = _bar(row.share, width, symbols)
        case "name":
            text = padded(cut_middle(texts[column], width, ellipsis=symbols.ellipsis), width)
        case "note":
            text = cut(texts[column], width, ellipsis=symbols.ellipsis)
        case _:
            text = padded(texts[column], width, right=True)
    return Cell(column=column, text=text, state=row.state)


def _bar(share: float | None, width: int, symbols: Symbols) -> str:
    filled = int((share or 0.0) * width)
    return symbols.filled * filled + symbols.empty * (width - filled)
