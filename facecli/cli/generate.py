"""`facecli generate`: files for the programs around a server."""

import sys
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from facecli.cli.shared.command import with_settings
from facecli.cli.shared.help import add_commands
from facecli.cli.shared.options import SettingOption, TlsCert, TlsKey
from facecli.cli.shared.output import Output
from facecli.config.settings import Settings
from facecli.core.addresses import checked_address

app = typer.Typer(rich_markup_mode=None)


@partial(with_settings, quiet_help="Print only the file.")
def prometheus_rules(settings: Settings, output: Output) -> None:
    """Print alerts for Prometheus.

    They use the metrics of `facecli serve --metrics` in the job `facecli`, and of `facecli worker --metrics`
    in the job `facecli-worker`.

    Example: facecli generate prometheus-rules > /etc/prometheus/facecli.yml

    Exit codes: 0 success.
    """
    from facecli.operations.alerts import alerts

    _show(output, alerts())


@partial(with_settings, quiet_help="Print only the file.")
def grafana_dashboard(settings: Settings, output: Output) -> None:
    """Print a dashboard for Grafana 9 or newer.

    Import it, and choose the data source of your Prometheus.

    Example: facecli generate grafana-dashboard > facecli.json

    Exit codes: 0 success.
    """
    from facecli.operations.dashboard import dashboard

    _show(output, dashboard())


@partial(with_settings, quiet_help="Print only the file.")
def systemd(
    settings: Settings,
    output: Output,
    worker: Annotated[
        bool, typer.Option("--worker", help="Print the unit of workers that run by themselves.")
    ] = False,
) -> None:
    """Print a unit for systemd.

    It runs this installation of facecli as the user facecli, with the data in /var/lib/facecli and metrics on
    127.0.0.1:9464. Its first lines are the commands that install it.

    Example: facecli generate systemd > /etc/systemd/system/facecli.service

    Example: facecli generate systemd --worker > /etc/systemd/system/facecli-worker@.service

    Exit codes: 0 success.
    """
    from facecli.operations.systemd import unit

    _show(output, unit(_this_program(), worker=worker))


@partial(with_settings, quiet_help="Print only the file.")
def nginx(
    settings: Settings,
    output: Output,
    host: Annotated[str, typer.Option("--host", metavar="NAME", help="Public host name of the server.")],
    port: Annotated[int, typer.Option("--port", metavar="PORT", help="Public port.", min=1, max=65535)] = 443,
    tls_cert: TlsCert = None,
    tls_key: TlsKey = None,
    bind: Annotated[str | None, SettingOption("bind", metavar="HOST:PORT")] = None,
    http: Annotated[str | None, SettingOption("http", metavar="HOST:PORT")] = None,
) -> None:
    """Print a site for nginx in front of a server.

    TLS ends at nginx. gRPC and HTTP (the console, gRPC-Web, Connect, tus, downloads) share one port; /metrics
    is not passed on. --bind and --http are where the server listens, by default 127.0.0.1:50051 and
    127.0.0.1:8080. The certificate is by default that of Let's Encrypt for the host.

    Example: facecli generate nginx --host facecli.example > /etc/nginx/sites-enabled/facecli.conf

    Exit codes: 0 success, 2 invalid option.
    """
    from facecli.operations.nginx import Site, nginx_site

    checked_address(f"{host}:{port}", option="--host")
    live = f"/etc/letsencrypt/live/{host}"
    site = Site(
        name=host,
        port=port,
        cert=settings.tls_cert or f"{live}/fullchain.pem",
        key=settings.tls_key or f"{live}/privkey.pem",
        grpc=checked_address(settings.bind, option="--bind"),
        http=checked_address(settings.http or "127.0.0.1:8080", option="--http"),
    )
    _show(output, nginx_site(site))


def _this_program() -> list[str]:
    """The command that starts this installation from any directory."""
    python = Path(sys.executable)
    script = python.with_name("facecli")
    return [str(script)] if script.exists() else [str(python), "-m", "facecli"]


def _show(output: Output, text: str) -> None:
    text = text.rstrip("\n")
    output.show({"text": text}, text=text, short=text)


add_commands(
    app,
    {
        "prometheus-rules": prometheus_rules,
        "grafana-dashboard": grafana_dashboard,
        "systemd": systemd,
        "nginx": nginx,
    },
)
