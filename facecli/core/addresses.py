"""Server addresses: HOST:PORT, and whether they are local."""

import ipaddress
import re

from facecli.core.errors import InvalidInput, PolicyRefused

MAX_HOST_NAME = 253  # characters, by DNS
_HOST_NAME = re.compile(
    r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?(\.[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?)*\.?"
)
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://(?P<address>[^/?#]*)")


def checked_address(address: str, *, option: str, lowest_port: int = 1) -> str:
    """Return the address if it is HOST:PORT; otherwise InvalidInput names the option and the cure."""
    if url := _URL.match(address):
        meant = url["address"].rpartition("@")[2]
        meant = meant if re.search(r":\d+$", meant) else f"{meant or 'HOST'}:50051"
        raise InvalidInput(f"{option} {address!r} is a URL; write HOST:PORT, here {meant}")
    host, _, port = address.rpartition(":")
    if not host or not (port.isascii() and port.isdigit()) or not lowest_port <= int(port[:6]) <= 65535:
        raise InvalidInput(f"{option} {address!r} is not HOST:PORT")
    if not _is_host(host):
        if _is_ip(host, 6):
            raise InvalidInput(f"{option} {address!r}: put an IPv6 address into brackets: [{host}]:{port}")
        raise InvalidInput(f"{option} {address!r} is not HOST:PORT; {host!r} is not the name of a host")
    return address


def checked_addresses(addresses: str, *, option: str) -> list[str]:
    """The addresses of a list with commas, each checked."""
    listed = [each.strip() for each in addresses.split(",")]
    if addresses.strip() and "" in listed:
        raise InvalidInput(f"{option} {addresses!r} has a comma without an address")
    return [checked_address(each, option=option) for each in listed]


def checked_host(host: str, *, option: str) -> str:
    """Return the host if it is a name or an address, IPv6 in brackets; otherwise InvalidInput."""
    if _URL.match(host):
        raise InvalidInput(f"{option} {host!r} is a URL; write only the name of the host")
    name, _, port = host.rpartition(":")
    if port.isdigit() and _is_host(name):
        raise InvalidInput(f"{option} {host!r} has a port; write only {name}")
    if not _is_host(host):
        if _is_ip(host, 6):
            raise InvalidInput(f"{option} {host!r}: put an IPv6 address into brackets: [{host}]")
        raise InvalidInput(f"{option} {host!r} is not the name of a host")
    return host


def host_of(address: str) -> str:
    """The host of HOST:PORT, without brackets."""
    return address.rpartition(":")[0].removeprefix("[").removesuffix("]")


def is_local(address: str) -> bool:
    """Whether the address is on the loopback interface, out of reach of other machines."""
    host = host_of(address)
    if host.lower().removesuffix(".") == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_ip_address(host: str) -> bool:
    """Whether a host, without brackets, is an address and not a name."""
    return _is_ip(host, 4) or _is_ip(host, 6)


def check_exposure(bind: str, *, tls: bool, authenticated: bool) -> None:
    """PolicyRefused when other machines can reach a server without TLS or without authentication."""
    missing = [] if tls else ["TLS (--tls-cert, --tls-key)"]
    missing += [] if authenticated else ["authentication (--auth token)"]
    if missing and not is_local(bind):
        raise PolicyRefused(
            f"{bind} can be reached from other machines, so serve needs {' and '.join(missing)}; "
            "otherwise listen on 127.0.0.1, or use --insecure"
        )


def _is_host(host: str) -> bool:
    if host.startswith("[") and host.endswith("]"):
        return _is_ip(host[1:-1], 6)
    if re.fullmatch(r"[0-9.]+", host):  # an address that is wrong, not a name
        return _is_ip(host, 4)
    return len(host) <= MAX_HOST_NAME and _HOST_NAME.fullmatch(host) is not None


def _is_ip(text: str, version: int) -> bool:
    try:
        return ipaddress.ip_address(text).version == version
    except ValueError:
        return False
