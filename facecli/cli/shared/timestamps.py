"""Timestamps on the command line: an age or a date."""

import time
from datetime import datetime

import typer
from typer.models import OptionInfo

from facecli.config.amounts import parse_time
from facecli.core.errors import InvalidInput


def parse_timestamp(text: str) -> float:
    """Seconds since 1970 of `2h` (ago), `2026-11-24` or `2026-11-24T18:30`, local time by default."""
    try:
        return datetime.fromisoformat(text.strip()).timestamp()
    except (ValueError, OverflowError):
        pass
    try:
        return max(0.0, time.time() - parse_time(text))
    except InvalidInput:
        raise typer.BadParameter(
            f"{text!r} is not a timestamp; write 2h, 2026-11-24 or 2026-11-24T18:30"
        ) from None


class TimestampOption(OptionInfo):
    """Option for a timestamp."""

    def __init__(self, name: str, help: str) -> None:
        super().__init__(default=name, metavar="TIME", parser=parse_timestamp, help=help, show_default=False)


def age(moment: float) -> str:
    """The time since a moment, in its largest unit: `5 s`, `12 min`, `3 h`, `4 d`."""
    seconds = max(0.0, time.time() - moment)
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{int(seconds // size)} {unit}"
    return f"{int(seconds)} s"
