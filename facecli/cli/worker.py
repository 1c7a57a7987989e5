"""`facecli worker`: runs tasks for a server."""

from typing import Annotated

import typer

from facecli.cli.shared.command import with_settings
from facecli.cli.shared.options import Database, DataDir, Json, Profile
from facecli.config.settings import Settings
from facecli.telemetry.logs import set_up_logging


@with_settings
def worker(
    settings: Settings,
    data_dir: DataDir = None,
    database: Database = None,
    name: Annotated[
        str,
        typer.Option(
            "--name", metavar="NAME", help="Whose work it is; a worker of the same name takes it up again."
        ),
    ] = "extra-1",
    with_stdin: Annotated[bool, typer.Option("--with-stdin", help="End when standard input ends.")] = False,
    profile: Profile = None,
    as_json: Json = False,
) -> None:
    """Run tasks, one at a time.

    `facecli serve` starts workers by itself; this adds one more to its data directory, with a --database
    also from another machine that sees the directory.

    Example: facecli worker --data-dir /srv/facecli --name extra-1

    Exit codes: 0 ended as asked, 2 a bad setting, 6 no database, 10 a directory of another database.
    """
    set_up_logging(level=settings.log_level, format=settings.log_format)
    from facecli.bootstrap.worker import run_worker

    run_worker(settings, name=name, with_stdin=with_stdin)
