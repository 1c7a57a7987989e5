"""`facecli serve`: the service."""

from typing import Annotated

import typer

from facecli import config
from facecli.cli.options import Database, DataDir, Json, Profile, TlsCert, TlsKey, setting_help
from facecli.cli.output import Output
from facecli.telemetry import set_up_logging


def serve(
    bind: Annotated[
        str | None, typer.Option("--bind", metavar="HOST:PORT", help=setting_help("bind"), show_default=False)
    ] = None,
    data_dir: DataDir = None,
    database: Database = None,
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
    auth: Annotated[
        config.Auth | None, typer.Option("--auth", help=setting_help("auth"), show_default=False)
    ] = None,
    tls_cert: TlsCert = None,
    tls_key: TlsKey = None,
    tls_client_ca: Annotated[
        str | None,
        typer.Option(
            "--tls-client-ca", metavar="FILE", help=setting_help("tls_client_ca"), show_default=False
        ),
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
    New certificates in the place of the old ones are used from the next connection on.

    Example: facecli serve --data-dir /srv/facecli --workers 2

    Example: facecli serve --bind 0.0.0.0:50051 --tls-cert server.pem --tls-key server.key --auth token

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
            "auth": auth,
            "tls_cert": tls_cert,
            "tls_key": tls_key,
            "tls_client_ca": tls_client_ca,
            "insecure": insecure,
        },
        profile=profile,
    )
    set_up_logging(level=settings.log_level, format=settings.log_format)
    from facecli.bootstrap.serving import serving
    from facecli.worker.process import Ending

    ending = Ending(with_stdin=False)
    output = Output(as_json=as_json, quiet=False)
    with serving(settings) as server:
        if settings.token and not config.asks_who(settings):
            output.note(
                "FACECLI_TOKEN is for clients, and this server asks nobody for a token: say --auth token"
            )
        output.show({"address": server.address}, text=f"listening on {server.address}", short=server.address)
        ending.wait()
