"""The figures of a bench as a table for people."""

import io
import sys
from collections.abc import Mapping, Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from facecli.bench.figures import MB, Figure
from facecli.bench.uploads.stages import LABELS, QUEUES, StageFigure
from facecli.cli.bench.baseline import Figures

WIDTH = 100  # columns at most


def figure_table(figures: Sequence[Figure], values: Figures, *, title: str, ratios: Figures | None) -> str:
    """One row per figure; plain text unless stdout is a terminal."""
    table = _table()
    table.add_column(no_wrap=True)
    for name in ("", "all runs", "min", "max", *(["/ baseline"] if ratios is not None else [])):
        table.add_column(name, justify="right" if name else "left", no_wrap=True)
    for figure in figures:
        cells = [_cell(figure.name, values[figure.name + end]) for end in ("", "_min", "_max")]
        ratio = [_formatted(ratios[figure.name])] if ratios is not None else []
        table.add_row(figure.label, figure.aggregate, *cells, *ratio)
    return _rendered(table, title=title)


def stage_table(stages: Mapping[str, StageFigure]) -> str:
    """One row per stage; of a queue, its mean length."""
    table = _table()
    for name in ("stages in the server", "seconds", "share"):
        table.add_column(name, justify="left" if name.startswith("stages") else "right", no_wrap=True)
    for name, label in LABELS.items():
        stage = stages[name]
        if name in QUEUES:
            table.add_row(label, "", f"{stage.share:.1f}")
        else:
            table.add_row(label, _formatted(stage.seconds), f"{stage.share:.0%}")
    return _rendered(table)


def _table() -> Table:
    return Table(box=SIMPLE_HEAD if sys.stdout.isatty() else None, pad_edge=False, padding=(0, 2, 0, 0))


def _rendered(table: Table, *, title: str = "") -> str:
    text = io.StringIO()
    console = Console(file=text, force_terminal=sys.stdout.isatty(), width=WIDTH)
    if title:
        console.print(title, highlight=False, markup=False)
    console.print(table)
    return "\n".join(line.rstrip() for line in text.getvalue().splitlines()).rstrip()


def _cell(name: str, value: float | None) -> str:
    return _formatted(value / MB if value is not None and name.endswith("_bytes") else value)


def _formatted(value: float | None) -> str:
    """Format with three significant digits or more."""
    if value is None:
        return "-"
    if isinstance(value, int) or not value:
        return str(int(value))
    digits = 0 if value >= 1000 else 1 if value >= 100 else 2 if value >= 1 else 3
    return f"{value:.{digits}f}"
