"""A server over TLS, and a client that asks it for its identity."""

from dataclasses import replace

from facecli.certificates import DevCertificates
from facecli.client.connection import Connection
from facecli.client.context import ClientContext
from facecli.client.downloads import DownloadClient
from facecli.config.settings import Settings
from facecli.core.tls import ClientTls


def over_tls(settings: Settings, certs: DevCertificates, **more: str) -> Settings:
    pair = {"tls_cert": str(certs.server), "tls_key": str(certs.server_key)}
    return replace(settings, bind="localhost:0", **{**pair, **more})  # type: ignore[arg-type]


def seen_as(address: str, tls: ClientTls | None, token: str = "") -> str:
    """The user that the server authenticates a client as; empty where it trusts every name."""
    with Connection(address, call_timeout=30, tls=tls, token=lambda: token) as connection:
        return DownloadClient(ClientContext(connection=connection, user="")).info().user
