"""The command tree, and `main`: run, turn an error into an exit."""

import sys
import traceback
from typing import Annotated

import typer
import typer.main
from typer.core import TyperGroup, TyperOption
from typer.exceptions import TyperException

from facecli import __version__
from facecli.cli import demo, doctor, exits, serve, swap, task, upload, worker
from facecli.cli.help import add_commands
from facecli.cli.output import mend_streams
from facecli.config import quiet_libraries
from facecli.core.errors import Cancelled, FacecliError, InvalidInput

app = typer.Typer(
    name="facecli",
    help="Upload videos that resume, run face-swap tasks that survive, download results that verify.",
    epilog="Exit codes:\n\n\b\n" + exits.table(),
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
add_commands(
    app,
    {
        "demo": demo.demo,
        "swap": swap.swap,
        "upload": upload.upload,
        "serve": serve.serve,
        "worker": worker.worker,
        "doctor": doctor.doctor,
    },
)
app.add_typer(task.app, name="task")


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"facecli {__version__}")
        raise typer.Exit


@app.callback()
def facecli(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", is_eager=True, callback=_version)
    ] = False,
) -> None: ...


def main() -> None:
    """Run the command line; every ending of it is an exit code of `exits`."""
    mend_streams()
    quiet_libraries()
    arguments = sys.argv[1:]
    try:
        code = run(arguments)
    except Exception as error:
        traceback.print_exc()
        code = exits.report(FacecliError(f"a bug in facecli: {error!r}"), as_json="--json" in arguments)
    sys.exit(code)


def tree() -> TyperGroup:
    """The commands. The completion options work, but are of no interest to who reads the help."""
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
        code = tree().main(arguments or ["--help"], prog_name="facecli", standalone_mode=False) or 0
        if code == exits.INTERRUPTED:
            return exits.report(Cancelled("interrupted; what the server has is kept"), as_json=as_json)
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
