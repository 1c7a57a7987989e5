"""The root command and the process's outermost function: parse, run, and turn an error into an exit code."""

import gc
import os
import signal
import sys
import traceback
from contextlib import suppress
from typing import Annotated, NoReturn

import typer
import typer.main
from typer.core import TyperGroup
from typer.exceptions import TyperException

from facecli import __version__
from facecli.cli.commands import LazyGroup
from facecli.cli.shared import exits
from facecli.cli.shared.interrupts import INTERRUPTED, handle_interrupts
from facecli.cli.shared.output import repair_streams
from facecli.config.environment import quiet_grpc
from facecli.core.errors import FacecliError, InvalidInput

_TYPER_OPTIONS = {"install_completion", "show_completion"}

GC_THRESHOLD = 50_000  # new objects between two collections; with Python's 700, imports take 12 ms longer


def _print_version(requested: bool) -> None:
    if requested:
        typer.echo(f"facecli {__version__}")
        raise typer.Exit


def facecli(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", is_eager=True, callback=_print_version)
    ] = False,
) -> None: ...


def main() -> None:
    """Run the command line; every ending of it is an exit code of `exits`."""
    gc.set_threshold(GC_THRESHOLD)
    repair_streams()
    quiet_grpc()
    arguments = sys.argv[1:]
    try:
        handle_interrupts()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})  # blocked by __main__
        code = run(arguments)
    except KeyboardInterrupt:
        code = exits.report_interrupt(arguments)
    except Exception as error:
        traceback.print_exc()
        code = exits.report(FacecliError(f"a bug in facecli: {error!r}"), as_json="--json" in arguments)
    if code == INTERRUPTED:
        _exit_now(code)
    gc.freeze()  # the interpreter's last collections would take 40 ms
    sys.exit(code)


def root() -> TyperGroup:
    """The root group."""
    app = typer.Typer(
        name="facecli",
        cls=LazyGroup,
        help="Resumable video uploads, durable face-swap tasks, verified results.",
        epilog="Exit codes:\n\n\b\n" + exits.table(),
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    )
    app.callback()(facecli)
    group = typer.main.get_command(app)
    assert isinstance(group, TyperGroup)
    # typer registers the shells along with options of its own, which `facecli completion` replaces.
    group.params = [parameter for parameter in group.params if parameter.name not in _TYPER_OPTIONS]
    return group


def run(arguments: list[str]) -> int:
    """Run one command and report its error; the exit code.

    Bugs propagate.
    """
    as_json = "--json" in arguments
    try:
        code = root().main(arguments or ["--help"], prog_name="facecli", standalone_mode=False) or 0
        if code == INTERRUPTED:
            return exits.report_interrupt(arguments)
        return int(code)
    except FacecliError as error:
        return exits.report(error, as_json=as_json)
    except exits.SomeFailed as failed:
        for unreported in failed.unreported:
            exits.report(unreported, as_json=as_json)
        return failed.code
    except UnicodeEncodeError as error:
        invalid = InvalidInput(f"{error.object!a} is not valid UTF-8")
        return exits.report(invalid, as_json=as_json, hint="rename the file, or pass --name")
    except TyperException as error:
        return exits.report_usage(error, as_json=as_json, arguments=arguments)


def _exit_now(code: int) -> NoReturn:
    """Exit without the interpreter's shutdown.

    Python ends itself by SIGINT when that arrived while it ran code made from text, as dataclasses are, and
    it joins the threads of libraries that are still busy.
    """
    with suppress(OSError, FacecliError):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code)
