"""Options for network faults, shared by `chaos` and `bench upload`."""

from typing import Annotated

import typer

from facecli.chaos.faults import Flap, Span
from facecli.cli.shared.options import size, time


def parse_span(text: str) -> Span:
    """Parse `50MB` or `50MB-150MB`."""
    low, _, high = text.partition("-")
    span = Span(low=size(low), high=size(high or low))
    if not 1 <= span.low <= span.high:
        raise typer.BadParameter(f"{text!r} is not a byte range; write 50MB or 50MB-150MB")
    return span


def parse_rate(text: str) -> int:
    """Parse bytes per second, more than 0."""
    rate = size(text)
    if not rate:
        raise typer.BadParameter("the rate must be greater than 0; write 12.5MB for 100 Mbit/s")
    return rate


def parse_flap(text: str) -> Flap:
    """Parse `10s,2s`."""
    up, comma, down = text.partition(",")
    if not comma:
        raise typer.BadParameter(f"{text!r} is not UP,DOWN; write 10s,2s")
    flap = Flap(up=time(up), down=time(down))
    if not (flap.up and flap.down):
        raise typer.BadParameter(f"{text!r}: both times must be greater than 0; write 10s,2s")
    return flap


Delay = Annotated[
    float | None,
    typer.Option("--delay", metavar="TIME", parser=time, help="Delay every byte, in each direction."),
]
Rate = Annotated[
    int | None,
    typer.Option(
        "--rate",
        metavar="SIZE",
        parser=parse_rate,
        help="Bytes per second and connection, in each direction.",
    ),
]
Cut = Annotated[
    Span | None,
    typer.Option(
        "--cut", metavar="SIZE[-SIZE]", parser=parse_span, help="Close each connection after this many bytes."
    ),
]
CutEvery = Annotated[
    Span | None,
    typer.Option(
        "--cut-every",
        metavar="SIZE[-SIZE]",
        parser=parse_span,
        help="Cut each client's connection every time it has sent this many bytes.",
    ),
]
MaxCuts = Annotated[int | None, typer.Option("--cuts", metavar="N", min=0, help="Stop cutting after N cuts.")]
Reset = Annotated[bool, typer.Option("--reset", help="Cut with a reset (RST) instead of a normal close.")]
FlapTimes = Annotated[
    Flap | None,
    typer.Option(
        "--flap",
        metavar="UP,DOWN",
        parser=parse_flap,
        help="Alternate: up, everything passes; down, connections are refused and open ones cut.",
    ),
]
Blackhole = Annotated[
    Span | None,
    typer.Option(
        "--blackhole",
        metavar="SIZE[-SIZE]",
        parser=parse_span,
        help="Stop all traffic of a connection after this many bytes, but leave it open.",
    ),
]
Flip = Annotated[
    Span | None,
    typer.Option(
        "--flip", metavar="SIZE[-SIZE]", parser=parse_span, help="Flip one random bit per this many bytes."
    ),
]
Seed = Annotated[
    int,
    typer.Option("--seed", metavar="N", help="Random seed; the same seed reproduces the same faults."),
]
