"""Checks of servers: versions, clocks, and who they take the user for."""

import re
import time
from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING

from facecli import __version__
from facecli.cli.doctor.findings import Finding, Result, run_check
from facecli.cli.doctor.routes import http_route, own_addresses, route
from facecli.core.blobs import UNLIMITED
from facecli.library.session import Session

if TYPE_CHECKING:
    from facecli.api.server_info import ServerInfo

MAX_SKEW = 2.0  # seconds between two clocks, in which leases and expiries are still right


def server_checks(session: Session, *, name: str = "") -> "tuple[list[Finding], ServerInfo | None]":
    """The findings about the server of a session, and what it says. `name` is shown if there are several."""
    infos = list["ServerInfo"]()
    times = list[float]()

    def server() -> Result:
        times.append(time.time())
        infos.append(session.files.info())
        times.append(time.time())
        return _server(infos[0])

    proxy = session.proxy or "none named by grpc_proxy, https_proxy or http_proxy"
    findings = [
        run_check("proxy", lambda: (proxy, {}), server=name),
        run_check("server", server, server=name),
    ]
    if not infos:
        return findings, None
    info = infos[0]
    if info.time:  # an older server does not tell its time, nor the address that it sees
        findings.append(run_check("clock", lambda: clock(info.time, *times), server=name))
    if info.client_address:
        own = own_addresses(session.settings.server)
        findings.append(run_check("route", lambda: route(info, own), server=name))
    if info.http_url:
        findings.append(run_check("http", lambda: http_route(session, info), server=name))
    findings.append(run_check("access", lambda: _access(session, info), server=name))
    return findings, info


def versions(servers: "Mapping[str, ServerInfo]") -> Result:
    """The versions of servers and workers; they differ only while an upgrade goes on."""
    of_servers = {name: info.version for name, info in servers.items()}
    of_workers = sorted({version for info in servers.values() for version in info.worker_versions})
    different = {*of_servers.values(), *of_workers}
    warning = ""
    if len(different) > 1:
        warning = f"an upgrade is not finished; restart what is not {max(different, key=_version_key)} yet"
    if len(set(of_servers.values())) == 1:
        found = f"{'servers' if len(of_servers) > 1 else 'server'} {next(iter(of_servers.values()))}"
    else:
        found = ", ".join(f"{name} {version}" for name, version in of_servers.items())
    if of_workers:
        found += f"; workers {', '.join(of_workers)}"
    return found, {"servers": of_servers, "workers": of_workers, "warning": warning}


def _version_key(version: str) -> list[int]:
    return [int(number) for number in re.findall(r"[0-9]+", version)]


def clock(server_time: float, began: float, ended: float) -> Result:
    """The server's clock against this one, as exact as the call was quick."""
    skew = server_time - (began + ended) / 2
    doubt = (ended - began) / 2
    words = f"{abs(skew):.1f} s {'ahead of' if skew > 0 else 'behind'} this machine"
    found = (
        "that of the server agrees with this one" if abs(skew) <= doubt + 0.1 else f"the server is {words}"
    )
    warning = ""
    if abs(skew) > doubt + MAX_SKEW:
        warning = "tokens, links and expiries go by the server's clock; synchronize both by NTP"
    return found, {"skew_seconds": round(skew, 3), "warning": warning}


def _server(info: "ServerInfo") -> Result:
    warning = ""
    if info.version != __version__:
        warning = f"this is facecli {__version__}; update the older one"
    limit = f" of {_gib(info.max_user_bytes)}" if info.max_user_bytes else ""
    return (
        f"facecli {info.version}, engines {_engines(info)}, files up to {_gib(info.max_file_size)}, "
        f"videos up to {info.max_video_seconds / 60:g} min, {_free(info.free_bytes)}, "
        f"{_gib(info.user_bytes)}{limit} used by you",
        {**asdict(info), "warning": warning},
    )


def _engines(info: "ServerInfo") -> str:
    default = info.default_engine
    return ", ".join(f"{name} (default)" if name == default else name for name in info.engines)


def _free(size: int) -> str:
    return f"{_gib(size)} free" if size < UNLIMITED else "no limit of space known"


def _gib(size: int) -> str:
    return f"{round(size / 1024**3, 1):g} GiB"


def _access(session: Session, info: "ServerInfo") -> Result:
    """Encryption of the connection, and the user that the server sees."""
    transport = "encrypted (TLS)" if session.encrypted else "unencrypted"
    if session.local and not session.encrypted:
        transport = "unencrypted, on this machine"
    user = info.user or session.settings.user or "local"
    if info.user:
        identity = f"you are {user}{', an admin' if info.admin else ''}"
    else:
        identity = f"the server trusts the name that clients send; yours is {user}"
    more = {"encrypted": session.encrypted, "authenticated": bool(info.user), "user": user}
    return f"{transport}; {identity}", more
