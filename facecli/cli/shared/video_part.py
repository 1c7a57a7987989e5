"""Options that take a part of a video: --from and --to."""

from typing import Annotated

import typer

from facecli.cli.shared.options import time
from facecli.core.video.plan import MICROSECONDS, VideoPart

From = Annotated[
    float | None,
    typer.Option("--from", metavar="TIME", parser=time, help="Beginning of the part of the video to swap."),
]
To = Annotated[
    float | None,
    typer.Option("--to", metavar="TIME", parser=time, help="End of the part of the video to swap."),
]


def video_part(begin: float | None, end: float | None) -> VideoPart:
    """The part of a video between two times in seconds; InvalidInput for an empty one."""
    part = VideoPart(start=microseconds(begin or 0.0), end=None if end is None else microseconds(end))
    part.check()
    return part


def microseconds(seconds: float) -> int:
    return round(seconds * MICROSECONDS)
