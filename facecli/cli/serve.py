"""`facecli serve`: run the server."""

import logging
from functools import partial
from typing import TYPE_CHECKING, Annotated

from facecli import __version__
from facecli.cli.server_summary import summary
from facecli.cli.shared.command import with_loaded_settings
from facecli.cli.shared.options import Blobs, Database, DataDir, DrainTimeout, SettingOption, TlsCert, TlsKey
from facecli.cli.shared.output import Output
from facecli.config.access import requires_authentication
from facecli.config.environment import ENVIRONMENT
from facecli.config.loader import LoadedSettings
from facecli.config.settings import (
    Auth,
    Durability,
    LabelFramesName,
    LabelPolicyName,
    LabelTextName,
    ProxyHeader,
    Settings,
)
from facecli.telemetry.logs import set_up_logging
from facecli.telemetry.service_manager import ServiceManager

if TYPE_CHECKING:
    from facecli.bootstrap.server import Running

_log = logging.getLogger(__name__)


@partial(with_loaded_settings, quiet_help="Print only the address.")
def serve(
    loaded: LoadedSettings,
    output: Output,
    bind: Annotated[str | None, SettingOption("bind", metavar="HOST:PORT")] = None,
    http: Annotated[str | None, SettingOption("http", metavar="HOST:PORT")] = None,
    http_url: Annotated[str | None, SettingOption("http_url", metavar="URL")] = None,
    metrics: Annotated[str | None, SettingOption("metrics", metavar="HOST:PORT")] = None,
    cors_origin: Annotated[list[str] | None, SettingOption("cors_origin", metavar="ORIGIN")] = None,
    trusted_proxies: Annotated[list[str] | None, SettingOption("trusted_proxies", metavar="NETWORK")] = None,
    proxy_header: Annotated[ProxyHeader | None, SettingOption("proxy_header")] = None,
    data_dir: DataDir = None,
    database: Database = None,
    blobs: Blobs = None,
    workers: Annotated[int | None, SettingOption("workers", metavar="N", min=0, max=256)] = None,
    engine: Annotated[str | None, SettingOption("engine", metavar="NAME")] = None,
    durability: Annotated[Durability | None, SettingOption("durability")] = None,
    label_policy: Annotated[LabelPolicyName | None, SettingOption("label_policy")] = None,
    label_text: Annotated[LabelTextName | None, SettingOption("label_text")] = None,
    label_frames: Annotated[LabelFramesName | None, SettingOption("label_frames")] = None,
    consent_required: Annotated[bool | None, SettingOption("consent_required")] = None,
    auth: Annotated[Auth | None, SettingOption("auth")] = None,
    tls_cert: TlsCert = None,
    tls_key: TlsKey = None,
    tls_client_ca: Annotated[str | None, SettingOption("tls_client_ca", metavar="FILE")] = None,
    insecure: Annotated[bool | None, SettingOption("insecure")] = None,
    drain_timeout: DrainTimeout = None,
    reflection: Annotated[bool | None, SettingOption("reflection")] = None,
) -> None:
    """Run the server.

    Prints `listening on HOST:PORT` on stdout when ready, or {"address": "HOST:PORT"} with --json; describes
    its data directory, engines, access and limits on stderr. SIGTERM and Ctrl-C shut it down
    gracefully: it takes no new calls, running ones have --drain-timeout to end, acknowledged data is durable,
    and running tasks go on at another worker or after the next start. A second SIGTERM or Ctrl-C ends it at
    once. Replaced certificate files take effect with the next connection. SIGHUP, where the server has no
    terminal, reads log_level in the config file again, for the server and its workers.

    With --http the same process also serves HTTP, for browsers and for clients without gRPC, and prints
    `listening on URL`, too, or adds "http": "URL". This needs the extra `web`: pip install fastapi uvicorn
    httptools connectrpc.

    With --blobs s3://BUCKET/PREFIX uploads and results are stored there, and the data directory has only what
    this machine needs. This needs the extra `s3`: pip install boto3, which finds its credentials by itself.

    With --metrics it also serves http://HOST:PORT/metrics for Prometheus, with the figures of its workers,
    and prints `listening on URL` for it, or adds "metrics": "URL".

    Example: facecli serve --data-dir /srv/facecli --workers 2

    Example: facecli serve --http 127.0.0.1:8080 --cors-origin 'http://localhost:*'

    Example: facecli serve --bind 0.0.0.0:50051 --tls-cert server.pem --tls-key server.key --auth token

    Exit codes: 0 stopped on request, 2 invalid setting, 6 database or bucket unreachable, 10 refused to
    listen on the network without TLS and authentication, or to use a database that is not, or no longer, that
    of the data directory or bucket, 130 ended by a second signal.
    """
    settings, manager = loaded.settings, ServiceManager(ENVIRONMENT)
    set_up_logging(level=settings.log_level, format=settings.log_format)
    from facecli.bootstrap.server import run_server
    from facecli.bootstrap.service.log_level import reread_log_level
    from facecli.worker.process import ShutdownSignal

    def reload() -> None:
        manager.reloading()
        reread_log_level(loaded.profile, tell=server.set_log_level)
        manager.ready(f"listening on {server.address}")

    ending = ShutdownSignal(with_stdin=False, reload=reload)
    with run_server(settings, manager) as server:
        if settings.token and not requires_authentication(settings):
            output.note(
                "FACECLI_TOKEN is a client setting, and this server requires no token; to require one, pass "
                "--auth token"
            )
        _announce(settings, server, output)
        _show_addresses(settings, server, output)
        manager.ready(f"listening on {server.address}")
        ending.wait()
        ending.exit_on_next()
        manager.stopping("running calls end")
        output.note(
            f"shutting down: running calls have {settings.drain_timeout:g} s to end, tasks go on at another "
            "worker or after the next start; a second signal ends the server at once"
        )
    output.note("stopped; all acknowledged data is stored")


def _show_addresses(settings: Settings, server: "Running", output: Output) -> None:
    metrics = server.metrics if settings.metrics else ""
    value = {"address": server.address, "http": server.http, "metrics": metrics}
    value = {name: url for name, url in value.items() if url}
    lines = list(value.values())
    output.show(value, text="\n".join(f"listening on {line}" for line in lines), short="\n".join(lines))


def _announce(settings: Settings, server: "Running", output: Output) -> None:
    """Describe the server: as lines, or as one record of a JSON log."""
    described = summary(settings, server)
    if settings.log_format == "json":
        fields = {label.replace(" ", "_"): value for label, value in described}
        _log.info("server started", extra={**fields, "version": __version__})
        return
    output.note(f"facecli {__version__}")
    for label, value in described:
        output.note(f"  {label:15} {value}")
