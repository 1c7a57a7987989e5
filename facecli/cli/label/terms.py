"""Options for the terms of a task: `--no-label` and `--consent`."""

from typing import Annotated

import typer

from facecli.cli.shared.options import filled

NoLabel = Annotated[
    str | None,
    typer.Option(
        "--no-label",
        metavar="REASON",
        parser=filled,
        help="Make the result without labels as AI-made; the server records who did and why, or refuses.",
        show_default=False,
    ),
]
ConsentOption = Annotated[
    str | None,
    typer.Option(
        "--consent",
        metavar="FILE|TEXT",
        parser=filled,
        help="Consent of the person whose face is used: only its SHA-256 is sent, and recorded.",
        show_default=False,
    ),
]
