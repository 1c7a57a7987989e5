"""The figures of a bench as a table for people."""

import io
import sys
from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from facecli.bench.figures import MB, Figure
from facecli.cli.bench.baseline import Figures

WIDTH = 100  # columns at most


def figure_table(figures: Sequence[Figure], values: Figures, *, title: str, ratios: Figures | None) -> str:
    """One row per figure; plain text unless stdout is a terminal."""
    on_terminal = sys.stdout.isatty()
    table = Table(box=SIMPLE_HEAD if on_terminal else None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    for name in ("", "all runs", "min", "max", *(["/ baseline"] if ratios is not None else [])):
        table.add_column(name, justify="right" if name else "left", no_wrap=True)
    for figure in figures:
        cells = [_cell(figure.name, values[figure.name + end]) for end in ("", "_min", "_max")]
        ratio = [_formatted(ratios[figure.name])] if ratios is not None else []
        table.add_row(figure.label, figure.aggregate, *cells, *ratio)
    text = io.StringIO()
    console = Console(file=text, force_terminal=on_terminal, width=WIDTH)
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
