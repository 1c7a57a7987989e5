"""What is said of a bad line on a command line."""

from typing import Annotated

import typer

from facecli.chaos.faults import Span
from facecli.cli.shared.options import size, time

Delay = Annotated[
    float | None,
    typer.Option("--delay", metavar="TIME", parser=time, help="Hold every byte so long, each way."),
]


def span(text: str) -> Span:
    """Of `50MB` or `50MB-150MB`."""
    low, _, high = text.partition("-")
    found = Span(low=size(low), high=size(high or low))
    if not 1 <= found.low <= found.high:
        raise typer.BadParameter(f"{text!r} is no span of bytes; write 50MB or 50MB-150MB")
    return found


def line_rate(text: str) -> int:
    """Bytes a second, which are some."""
    rate = size(text)
    if not rate:
        raise typer.BadParameter("nothing would ever pass at 0; write 12.5MB for 100 Mbit/s")
    return rate
