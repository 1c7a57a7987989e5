"""The command tree, and `main`: run, turn an error into an exit."""

import gc
import os
import signal
import sys
import traceback
from importlib import import_module
from typing import Annotated, NoReturn

import typer
import typer.main
from typer.core import TyperGroup, TyperOption
from typer.exceptions import TyperException

from facecli import __version__
from facecli.cli.shared import exits
from facecli.cli.shared.help import add_commands
from facecli.cli.shared.output import mend_streams
from facecli.config.environment import quiet_grpc
from facecli.core.errors import FacecliError, InvalidInput

GARBAGE = 50_000  # new objects until a look for cycles; with the usual 700, importing takes 12 ms more

# The help lists them in this order. Each is a function in a file of its own name, or a group's app there.
COMMANDS = ("demo", "swap", "upload", "serve", "worker", "engines", "chaos", "doctor", "gc", "fsck")
GROUPS = ("task", "file", "bench", "token", "cert")
PLACES = {"task": "task.app", "bench": "bench.app"}  # of groups that are folders


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"facecli {__version__}")
        raise typer.Exit


def facecli(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", is_eager=True, callback=_version)
    ] = False,
) -> None: ...


def main() -> None:
    """Run the command line; every ending of it is an exit code of `exits`."""
    gc.set_threshold(GARBAGE)
    mend_streams()
    quiet_grpc()
    arguments = sys.argv[1:]
    try:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})  # which __main__ has held back
        code = run(arguments)
    except KeyboardInterrupt:
        code = exits.report_interrupt(as_json="--json" in arguments)
    except Exception as error:
        traceback.print_exc()
        code = exits.report(FacecliError(f"a bug in facecli: {error!r}"), as_json="--json" in arguments)
    if code == exits.INTERRUPTED:
        _leave(code)
    gc.freeze()  # or the interpreter looks three times through all that was imported, for 40 ms
    sys.exit(code)


def tree(wanted: str = "") -> TyperGroup:
    """The commands; when one is wanted that exists, that one standalone, as importing all takes 40 ms.

    The completion options work, but are of no interest to who reads the help.
    """
    app = typer.Typer(
        name="facecli",
        help="Upload videos that resume, run face-swap tasks that survive, download results that verify.",
        epilog="Exit codes:\n\n\b\n" + exits.table(),
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    )
    app.callback()(facecli)
    names = [wanted] if wanted in COMMANDS + GROUPS else COMMANDS + GROUPS
    modules = {name: import_module(f"facecli.cli.{PLACES.get(name, name)}") for name in names}
    add_commands(app, {name: getattr(modules[name], name) for name in names if name in COMMANDS})
    for name in names:
        if name in GROUPS:
            app.add_typer(modules[name].app, name=name)
    group = typer.main.get_command(app)
    assert isinstance(group, TyperGroup)
    for parameter in group.params:
        if isinstance(parameter, TyperOption) and parameter.name in {"install_completion", "show_completion"}:
            parameter.hidden = True
    return group


def run(arguments: list[str]) -> int:
    """The exit code, when everything has been said. A bug flies, and so does typer's SystemExit(1) when who
    read our output has left."""
    as_json = "--json" in arguments
    try:
        code = (
            tree(next(iter(arguments), "")).main(
                arguments or ["--help"], prog_name="facecli", standalone_mode=False
            )
            or 0
        )
        if code == exits.INTERRUPTED:
            return exits.report_interrupt(as_json=as_json)
        return int(code)
    except FacecliError as error:
        return exits.report(error, as_json=as_json)
    except exits.SomeFailed as failed:
        for unsaid in failed.unsaid:
            exits.report(unsaid, as_json=as_json)
        return failed.code
    except UnicodeEncodeError as error:
        wrong = InvalidInput(f"{error.object!a} is not valid UTF-8")
        return exits.report(wrong, as_json=as_json, hint="rename the file, or say --name")
    except TyperException as error:
        return exits.report_usage(error, as_json=as_json)


def _leave(code: int) -> NoReturn:
    """End without a look back: Python ends itself by SIGINT when that came while it ran code made from text,
    as dataclasses are, and joins the threads of libraries that are still busy."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
