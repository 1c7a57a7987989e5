"""`facecli serve`: the service."""

from typing import Annotated

import typer

from facecli import config
from facecli.cli.options import Json, Profile, setting_help
from facecli.cli.output import Output
from facecli.telemetry import set_up_logging


def serve(
    bind: Annotated[
        str | None, typer.Option("--bind", metavar="HOST:PORT", help=setting_help("bind"), show_default=False)
    ] = None,
    data_dir: Annotated[
        str | None,
        typer.Option("--data-dir", metavar="DIR", help=setting_help("data_dir"), show_default=False),
    ] = None,
    database: Annotated[
        str | None,
        typer.Option("--database", metavar="URL", help=setting_help("database"), show_default=False),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(
            "--workers", metavar="N", help=setting_help("workers"), show_default=False, min=0, max=256
        ),
    ] = None,
    engine: Annotated[
        str | None, typer.Option("--engine", metavar="NAME", help=setting_help("engine"), show_default=False)
    ] = None,
    durability: Annotated[
        config.Durability | None,
        typer.Option("--durability", help=setting_help("durability"), show_default=False),
    ] = None,
    insecure: Annotated[
        bool | None, typer.Option("--insecure", help=setting_help("insecure"), show_default=False)
    ] = None,
    profile: Profile = None,
    as_json: Json = False,
) -> None:
    """Run the service.

    Prints `listening on HOST:PORT` on stdout when it is ready, with --json {"address": "HOST:PORT"}. SIGTERM
    and Ctrl-C end it gracefully; what was acknowledged is kept, running tasks go on after the next start.

    Example: facecli serve --data-dir /srv/facecli --workers 2

    Exit codes: 0 ended as asked, 2 a bad setting, 6 no database, 10 refused to listen beyond this machine, or
    to use a directory of another database.
    """
    settings = config.load(
        {
            "bind": bind,
            "data_dir": data_dir,
            "database": database,
            "workers": workers,
            "engine": engine,
            "durability": durability,
            "insecure": insecure,
        },
        profile=profile,
    )
    set_up_logging(level=settings.log_level, format=settings.log_format)
    from facecli.bootstrap.serving import serving
    from facecli.worker.process import Ending

    ending = Ending(with_stdin=False)
    with serving(settings) as server:
        Output(as_json=as_json, quiet=False).show(
            {"address": server.address}, text=f"listening on {server.address}", short=server.address
        )
        ending.wait()
