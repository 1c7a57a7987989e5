"""The addresses on which a server may listen."""

import re

from facecli.api.client_address import PROXY_PROTOCOL, TrustedProxies
from facecli.config.access import requires_authentication
from facecli.config.settings import Settings
from facecli.core.addresses import check_exposure, checked_address, is_local
from facecli.core.errors import InvalidInput


def check_addresses(settings: Settings) -> None:
    """InvalidInput for one that is not HOST:PORT, PolicyRefused for one that would be open to everybody."""
    for address, option in ((settings.bind, "--bind"), (settings.http, "--http")):
        if address or option == "--bind":
            checked_address(address, option=option, lowest_port=0)
            if not settings.insecure:
                check_exposure(
                    address, tls=bool(settings.tls_cert), authenticated=requires_authentication(settings)
                )

    if settings.metrics:
        checked_address(settings.metrics, option="--metrics", lowest_port=0)
    trusted_proxies(settings)
    if settings.http_url and not re.fullmatch(r"https?://[^/?#\s]+[^?#\s]*", settings.http_url):
        raise InvalidInput(f"--http-url {settings.http_url!r} is not a URL such as https://facecli.example")


def wants_metrics(settings: Settings) -> bool:
    """Whether a server has metrics: with `--metrics`, or with `--http` on an address of this machine alone.

    They need no token, so only the operator puts them on an address that others reach.
    """
    return bool(settings.metrics or (settings.http and is_local(settings.http)))


def trusted_proxies(settings: Settings) -> TrustedProxies:
    """The proxies that name their clients; InvalidInput if malformed, or of no use."""
    if settings.proxy_header == PROXY_PROTOCOL:
        if not settings.trusted_proxies:
            raise InvalidInput("--proxy-header needs --trusted-proxies, the networks of these proxies")
        if not settings.http:
            raise InvalidInput("--proxy-header proxy-protocol is for --http; gRPC does not know it")
    return TrustedProxies(settings.trusted_proxies, header=settings.proxy_header)
