"""The block of rows at the end of a terminal: never more rows than fit, in the order of the arguments."""

import threading
from collections.abc import Sequence

from rich.console import Console, ConsoleOptions, RenderResult
from rich.text import Text

from facecli.cli.progress import layout
from facecli.cli.progress.rows import Row, RowState
from facecli.cli.progress.summary import Summary

_STYLES = {RowState.DONE: "green", RowState.FAILED: "red", RowState.RUNNING: "cyan", RowState.WAITING: "dim"}


class Block:
    """Rows in order; `listed` rows were announced together and share a summary.

    When there are more rows than lines, finished and waiting rows collapse into the summary.
    """

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self._rows = list[Row]()
        self._listed = list[Row]()
        self._summary = Summary()
        self.widths = list[int]()  # of the lines drawn last, in cells

    def add(self, row: Row, *, listed: bool) -> None:
        with self.lock:
            self._rows.append(row)
            if listed:
                self._listed.append(row)

    @property
    def active(self) -> bool:
        """Whether a row has not ended."""
        with self.lock:
            return any(row.state in {RowState.RUNNING, RowState.WAITING} for row in self._rows)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        with self.lock:
            drawn = self._lines(
                width=options.size.width - 1,  # a terminal may wrap after its last column
                height=options.size.height - 1,
                symbols=layout.ASCII if options.ascii_only else layout.UNICODE,
            )
        self.widths = [line.cell_len for line in drawn]
        yield from drawn

    def _lines(self, *, width: int, height: int, symbols: layout.Symbols) -> Sequence[Text]:
        summary = len(self._listed) > 1
        rows = _fitting(self._rows, max(0, height - summary))
        lines = [_line(cells) for cells in layout.lines([row.text() for row in rows], width, symbols)]
        if summary:
            lines.append(_text(self._summary.text(self._listed, width), "bold"))
        return lines


def _fitting(rows: Sequence[Row], height: int) -> Sequence[Row]:
    """The rows if they fit; else the running ones, then the failed ones while there is room, in order."""
    if len(rows) <= height:
        return rows
    running = [row for row in rows if row.state is RowState.RUNNING][:height]
    failed = [row for row in rows if row.state is RowState.FAILED]
    shown = {id(row) for row in [*running, *failed[: height - len(running)]]}
    return [row for row in rows if id(row) in shown]


def _line(cells: Sequence[layout.Cell]) -> Text:
    line = _text("", "")
    for number, cell in enumerate(cells):
        line.append((" " if number else "") + cell.text, style=_style(cell))
    line.rstrip()
    return line


def _style(cell: layout.Cell) -> str:
    match cell.column:
        case "name":
            return "bold"
        case "bar" | "percent":
            return _STYLES[cell.state]
        case "note":
            return _STYLES[cell.state] if cell.state is RowState.FAILED else "dim"
    return ""


def _text(text: str, style: str) -> Text:
    return Text(text, style=style, no_wrap=True, overflow="ignore", end="\n")
