"""`facecli completion`: complete commands, options, IDs and engines in the shell."""

from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from typer.completion import get_completion_script  # type: ignore[attr-defined]
from typer.completion import install as install_script  # type: ignore[attr-defined]

from facecli.cli.shared.command import with_settings
from facecli.cli.shared.help import add_commands
from facecli.cli.shared.output import Output
from facecli.config.environment import ENVIRONMENT
from facecli.config.settings import Settings
from facecli.core.errors import InvalidInput

PROGRAM = "facecli"
VARIABLE = "_FACECLI_COMPLETE"


class Shell(StrEnum):
    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"
    POWERSHELL = "powershell"


app = typer.Typer(rich_markup_mode=None)

_SHELL = typer.Argument(metavar="SHELL", help="bash, zsh, fish or powershell.", show_default=False)


@partial(with_settings, quiet_help="Print only the script.")
def show(settings: Settings, output: Output, shell: Annotated[Shell, _SHELL]) -> None:
    """Print the completion script of a shell.

    Example: facecli completion show bash > ~/.local/share/bash-completion/completions/facecli

    Exit codes: 0 success, 2 unknown shell.
    """
    script = get_completion_script(prog_name=PROGRAM, complete_var=VARIABLE, shell=shell.value)
    output.show({"shell": shell, "script": script}, text=script, short=script)


@partial(with_settings, quiet_help="Print only the path of the script.")
def install(
    settings: Settings,
    output: Output,
    shell: Annotated[
        Shell | None,
        typer.Argument(
            metavar="[SHELL]",
            help="bash, zsh, fish or powershell; that of this session if not given.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Install completion for a shell.

    Writes the script to your home directory and a line that loads it to the shell's start-up file; it takes
    effect in the next shell. Commands, options, task IDs, file URLs, engines, their options and profiles are
    completed; IDs, URLs and engines come from the server, within two seconds or not at all.

    Example: facecli completion install

    Exit codes: 0 success, 2 unknown shell, or a file cannot be written.
    """
    shell = shell or _current_shell()
    try:
        _, path = install_script(shell=shell.value, prog_name=PROGRAM, complete_var=VARIABLE)
    except OSError as error:
        raise InvalidInput(f"cannot write {error.filename}: {error.strerror}") from error
    output.show({"shell": shell, "path": str(path)}, text=str(path), short=str(path))
    output.note(f"completion for {shell} takes effect in the next shell")


def _current_shell() -> Shell:
    """The shell that SHELL names."""
    name = Path(ENVIRONMENT.get("SHELL", "")).name
    if name not in set(Shell):
        shells = ", ".join(Shell)
        raise InvalidInput(f"the shell {name or 'of this session'} is not known; name one of {shells}")
    return Shell(name)


add_commands(app, {"show": show, "install": install})
