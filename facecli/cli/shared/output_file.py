"""The options for the file that a command writes, and the rule for one that exists."""

import sys
from typing import Annotated

import typer

from facecli.cli.shared.output import Output
from facecli.client.destination import Destination
from facecli.core.errors import InvalidInput

OUT_HELP = "Output file, or a directory for it; - for standard output."

Out = Annotated[
    str | None,
    typer.Option(
        "-o", "--output", metavar="OUT", help=f"{OUT_HELP} By default the file's name.", show_default=False
    ),
]
RequiredOut = Annotated[str, typer.Option("-o", "--output", metavar="OUT", help=OUT_HELP, show_default=False)]
Force = Annotated[bool, typer.Option("--force", help="Replace an existing output file.")]
SkipExisting = Annotated[bool, typer.Option("--skip-existing", help="Keep an existing output file and stop.")]


def check_options(target: Destination, output: Output, *, force: bool, skip_existing: bool) -> None:
    """Reject options that exclude each other, and a standard output that is closed."""
    if force and skip_existing:
        raise InvalidInput("--force and --skip-existing exclude each other; pass one of them")
    if target.is_stdout and output.as_json:
        raise InvalidInput("--json and the file would both go to standard output; name a file with -o")
    if target.is_stdout:
        sys.stdout.fileno()  # OutputFailed if it is closed


def already_exists(target: Destination) -> InvalidInput:
    """The refusal to replace another file."""
    return InvalidInput(
        f"{target.shown} already exists and is different; --force replaces it, --skip-existing keeps it"
    )


def show_path(output: Output, target: Destination, value: dict[str, object]) -> None:
    """Print the path of the file, unless the file itself went to standard output."""
    if not target.is_stdout:
        output.show({**value, "path": target.shown}, text=target.shown, short=target.shown)
