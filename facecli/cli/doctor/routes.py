"""Checks of the routes to a server, over gRPC and HTTP, and of the reverse proxies on them."""

import re
import socket
from collections.abc import Collection
from contextlib import suppress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from facecli.cli.doctor.findings import Result
from facecli.config.access import client_tls, current_token
from facecli.core.addresses import host_of, is_local
from facecli.core.errors import FacecliError
from facecli.library.session import Session

if TYPE_CHECKING:
    from facecli.api.server_info import ServerInfo

_URL = re.compile(r"https?://([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?(/[!-~]*)?")
_GENERATE = "facecli generate haproxy and facecli generate nginx print what does"


def own_addresses(server: str) -> frozenset[str]:
    """The addresses of this machine on the ways to a server, HOST:PORT; none if the host is not known."""
    found = set[str]()
    with suppress(OSError):
        for way in socket.getaddrinfo(host_of(server), 9, type=socket.SOCK_DGRAM):
            with suppress(OSError), socket.socket(*way[:3]) as unsent:
                unsent.connect(way[4])  # a datagram socket sends nothing to connect
                found.add(str(unsent.getsockname()[0]))
    return frozenset(found)


def route(info: "ServerInfo", own: Collection[str] = ()) -> Result:
    """The reverse proxies in front of the server, as its answer shows them; `own` are our own addresses."""
    headers = ", ".join(info.proxy_headers)
    client, proxy = info.client_address, info.proxy_address
    warning = ""
    if proxy and proxy != client:
        found = f"through the proxy {proxy}, which names this machine as {client}"
    elif proxy and proxy not in own:
        found = f"through the proxy {proxy}, which the server trusts and which does not name this machine"
        warning = (
            "limits and logs count all clients of this proxy as one; let it set X-Forwarded-For to the "
            f"client's address ({_GENERATE}), or name its header by --proxy-header"
        )
    elif headers and not proxy:
        found = f"through a proxy that sends {headers}; the server takes {client} for you"
        warning = (
            "limits and logs count all clients of this proxy as one; start the server with "
            f"--trusted-proxies {client}, and --proxy-header if it writes another one"
        )
    else:
        found = f"no header of a proxy reaches the server, which sees this machine as {client}"
    more = {name: getattr(info, name) for name in ("client_address", "proxy_address", "proxy_headers")}
    return found, {**more, "warning": warning}


def came_by_proxy(info: "ServerInfo") -> bool:
    """Whether a proxy shows itself; a direct call from a trusted network has its own address for both."""
    return bool(info.proxy_headers) or info.proxy_address not in {"", info.client_address}


def http_route(session: Session, info: "ServerInfo") -> Result:
    """The same over HTTP, for browsers and tus, at the URL that the server names for it."""
    url, more = info.http_url, {"http_url": info.http_url}
    if not _is_url(url):
        more["warning"] = "correct its --http-url"
        return f"the server names {url!r} for HTTP, which is not a URL", more
    parts = urlsplit(url)
    address = f"{parts.hostname or ''}:0"
    if is_local(address) or parts.hostname in {"0.0.0.0", "::"}:
        behind_proxy = came_by_proxy(info)
        if not session.local or (behind_proxy and not session.settings.server.endswith(f":{parts.port}")):
            warning = f"start it with --http-url https://{session.settings.server}" if behind_proxy else ""
            found = f"links of the server begin with {url}, which only its own machine reaches"
            return found, {**more, "warning": warning}
    if session.proxy:
        return f"{url}; not checked through the proxy {session.proxy}", more
    from facecli.client.calls.http_probe import HttpProbe  # takes 20 ms, which other commands save

    secure = parts.scheme == "https" or is_local(address)
    token = current_token(session.settings) if secure else ""
    probe = HttpProbe(url, tls=client_tls(session.settings), token=token, user=session.settings.user)
    try:
        seen = probe.info()
        buffered = probe.is_buffered()
    except FacecliError as error:
        return error.message, {**more, "warning": error.hint}
    found, warning = f"{url} answers", ""
    if seen:
        found, way = route(seen, own_addresses(f"{parts.hostname}:0"))
        found, warning = f"{url}: {found}", way.pop("warning")
        more |= way
    if buffered:
        found += "; a proxy keeps back what is sent until it has all of it"
        remedy = (
            "uploads of browsers and tus show no progress and cannot resume; "
            f"let it buffer no requests ({_GENERATE}), as by proxy_request_buffering off in nginx"
        )
        warning = "; ".join(filter(None, (warning, remedy)))
    return found, {**more, "buffered": buffered, "warning": warning}


def _is_url(text: str) -> bool:
    with suppress(ValueError):
        return bool(_URL.fullmatch(text)) and urlsplit(text).port != 0
    return False
