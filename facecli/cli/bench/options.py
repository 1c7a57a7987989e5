"""Options that every bench has."""

from pathlib import Path
from typing import Annotated

import typer

Runs = Annotated[int, typer.Option("--runs", metavar="N", help="Runs that count.", min=1)]
WarmUp = Annotated[int, typer.Option("--warm-up", metavar="N", help="Runs before them that do not.", min=0)]
DataDir = Annotated[
    Path | None,
    typer.Option(
        "--data-dir",
        metavar="DIR",
        help="Where everything is written, in a directory of its own; the system's target for temporary "
        "files when not given.",
        show_default=False,
    ),
]
BaselineFile = Annotated[
    Path | None,
    typer.Option(
        "--baseline",
        metavar="FILE",
        help="What --json printed once, to compare with.",
        show_default=False,
    ),
]
