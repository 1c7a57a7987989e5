"""The options for the file that a command writes, and the rule for one that exists."""

import os
import stat
import sys
import tempfile
from pathlib import Path
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


def temporary_results(purpose: str, *, otherwise: str) -> Path:
    """The directory, among temporary files, for results of a command that nobody gave a name.

    InvalidInput with the advice `otherwise` if it cannot be used, or belongs to another user.
    """
    folder = Path(tempfile.gettempdir()) / f"facecli-{purpose}-{os.getuid()}"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
    except OSError as error:
        raise InvalidInput(f"cannot create directory {folder}: {error.strerror}; {otherwise}") from error
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
        raise InvalidInput(f"{folder} is not a directory of this user; {otherwise}")
    return folder
