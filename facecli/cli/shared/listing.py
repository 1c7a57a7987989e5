"""Lists: their limit, their header on a terminal, and IDs from standard input."""

import shutil
import sys
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Annotated, TypeVar

import typer

from facecli.cli.shared.output import Output, write_stdout
from facecli.core.errors import InvalidInput

STDIN = "-"
DEFAULT_LIMIT = 100

T = TypeVar("T")

Limit = Annotated[
    int | None,
    typer.Option("--limit", metavar="N", help=f"Maximum number; {DEFAULT_LIMIT} by default.", min=1),
]
All = Annotated[bool, typer.Option("--all", help="List all, however many there are.")]


def limited(
    items: Iterable[T], output: Output, *, limit: int | None, everything: bool, noun: str
) -> Iterator[T]:
    """The first items; a remark says when the default limit has left some out."""
    if everything:
        if limit is not None:
            raise InvalidInput("--all and --limit exclude each other; pass one of them")
        yield from items
        return
    iterator = iter(items)
    yield from islice(iterator, limit or DEFAULT_LIMIT)
    if limit is None and next(iterator, None) is not None:
        output.remark(f"the newest {DEFAULT_LIMIT} of more {noun}; --all lists all, --limit N the newest N")


def show_header(output: Output, header: str) -> None:
    """Print the header of a list that people read."""
    if not (output.quiet or output.as_json) and sys.stdout.isatty():
        write_stdout(header)


def fitted(line: str) -> str:
    """The line, cut to the width of the terminal if stdout is one."""
    width = shutil.get_terminal_size().columns
    return line if len(line) <= width or not sys.stdout.isatty() else line[: width - 1] + "…"


def given(ids: Sequence[str] | None) -> list[str]:
    """The IDs of a command line; `-` stands for the lines of standard input, which are read to their end."""
    found = list[str]()
    for each in ids or ():
        found += filter(None, map(str.strip, sys.stdin)) if each == STDIN else [each]
    return found
