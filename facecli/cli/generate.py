"""`facecli generate`: files for the programs around a server."""

import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from facecli.cli.shared.command import with_settings
from facecli.cli.shared.help import add_commands
from facecli.cli.shared.options import TlsCert, TlsKey
from facecli.cli.shared.output import Output
from facecli.config.settings import Settings
from facecli.core.addresses import checked_addresses, checked_host

if TYPE_CHECKING:
    from facecli.operations.front import Front

DEFAULT_SERVER = "127.0.0.1:50051"

PublicHost = Annotated[str, typer.Option("--host", metavar="NAME", help="Public host name of the servers.")]
PublicPort = Annotated[int, typer.Option("--port", metavar="PORT", help="Public port.", min=1, max=65535)]
Backends = Annotated[
    list[str] | None,
    typer.Option(
        "--backend",
        metavar="HOST:PORT",
        help=f"Where a server listens for gRPC; can be repeated.  [default: {DEFAULT_SERVER}]",
        show_default=False,
    ),
]
HttpPort = Annotated[
    int,
    typer.Option("--http-port", metavar="PORT", help="Port of --http on these hosts.", min=1, max=65535),
]
ServerCa = Annotated[
    str,
    typer.Option(
        "--server-ca",
        metavar="FILE",
        help="CA certificate (PEM) that verifies the servers, which then are reached over TLS.",
        show_default=False,
    ),
]
PassThrough = Annotated[
    bool, typer.Option("--pass-through", help="Let TLS end at the servers, not at the proxy.")
]

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


def _proxy(configuration: "Callable[[Front, bool], str]") -> Callable[..., None]:
    """A command that prints a configuration; it has the options of every proxy."""

    def command(
        settings: Settings,
        output: Output,
        host: PublicHost,
        port: PublicPort = 443,
        backend: Backends = None,
        http_port: HttpPort = 8080,
        tls_cert: TlsCert = None,
        tls_key: TlsKey = None,
        server_ca: ServerCa = "",
        pass_through: PassThrough = False,
    ) -> None:
        from facecli.operations.front import Front

        checked_host(host, option="--host")
        servers = [checked_addresses(text, option="--backend") for text in backend or [DEFAULT_SERVER]]
        front = Front(
            name=host,
            port=port,
            servers=list(chain.from_iterable(servers)),
            http_port=http_port,
            cert=settings.tls_cert,
            key=settings.tls_key,
            ca=server_ca,
        )
        _show(output, configuration(front, pass_through))

    command.__name__, command.__doc__ = configuration.__name__, configuration.__doc__
    return with_settings(command, quiet_help="Print only the file.")


@_proxy
def haproxy(front: "Front", pass_through: bool) -> str:
    """Print a configuration of HAProxy in front of one server or several.

    gRPC and HTTP (the console, gRPC-Web, Connect, tus, downloads) share one port; /metrics is not passed on.
    TLS ends at HAProxy, unless --pass-through hands it on. HAProxy takes a certificate, its chain and its key
    from one file, by default /etc/haproxy/HOST.pem.

    Example: facecli generate haproxy --host facecli.example >> /etc/haproxy/haproxy.cfg

    Example: facecli generate haproxy --host facecli.example --backend 10.0.0.1:50051 --backend 10.0.0.2:50051

    Exit codes: 0 success, 2 invalid option.
    """
    from facecli.operations.haproxy import haproxy_pass_through, haproxy_site

    front = replace(front, cert=front.cert or f"/etc/haproxy/{front.name}.pem")
    return haproxy_pass_through(front) if pass_through else haproxy_site(front)


@_proxy
def nginx(front: "Front", pass_through: bool) -> str:
    """Print a configuration of nginx in front of one server or several.

    gRPC and HTTP (the console, gRPC-Web, Connect, tus, downloads) share one port; /metrics is not passed on.
    TLS ends at nginx, unless --pass-through hands it on. The certificate is by default that of Let's Encrypt
    for the host.

    Example: facecli generate nginx --host facecli.example > /etc/nginx/sites-enabled/facecli.conf

    Example: facecli generate nginx --host facecli.example --backend 10.0.0.1:50051 --backend 10.0.0.2:50051

    Exit codes: 0 success, 2 invalid option.
    """
    from facecli.operations.nginx import nginx_site, nginx_stream

    live = f"/etc/letsencrypt/live/{front.name}"
    front = replace(front, cert=front.cert or f"{live}/fullchain.pem", key=front.key or f"{live}/privkey.pem")
    return nginx_stream(front) if pass_through else nginx_site(front)


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
        "haproxy": haproxy,
        "nginx": nginx,
    },
)
