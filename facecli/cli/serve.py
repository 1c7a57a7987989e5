"""`facecli serve`: the service."""

from typing import Annotated

from facecli.cli.shared.command import with_settings
from facecli.cli.shared.options import Database, DataDir, Json, Profile, SettingOption, TlsCert, TlsKey
from facecli.cli.shared.output import Output
from facecli.config.access import requires_authentication
from facecli.config.settings import Auth, Durability, Settings
from facecli.telemetry.logs import set_up_logging


@with_settings
def serve(
    settings: Settings,
    bind: Annotated[str | None, SettingOption("bind", metavar="HOST:PORT")] = None,
    data_dir: DataDir = None,
    database: Database = None,
    workers: Annotated[int | None, SettingOption("workers", metavar="N", min=0, max=256)] = None,
    engine: Annotated[str | None, SettingOption("engine", metavar="NAME")] = None,
    durability: Annotated[Durability | None, SettingOption("durability")] = None,
    auth: Annotated[Auth | None, SettingOption("auth")] = None,
    tls_cert: TlsCert = None,
    tls_key: TlsKey = None,
    tls_client_ca: Annotated[str | None, SettingOption("tls_client_ca", metavar="FILE")] = None,
    insecure: Annotated[bool | None, SettingOption("insecure")] = None,
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
    set_up_logging(level=settings.log_level, format=settings.log_format)
    from facecli.bootstrap.server import run_server
    from facecli.worker.process import Ending

    ending = Ending(with_stdin=False)
    output = Output(as_json=as_json, quiet=False)
    with run_server(settings) as server:
        if settings.token and not requires_authentication(settings):
            output.note(
                "FACECLI_TOKEN is for clients, and this server asks nobody for a token: say --auth token"
            )
        output.show({"address": server.address}, text=f"listening on {server.address}", short=server.address)
        ending.wait()
