"""Server addresses: HOST:PORT, and whether they are local."""

import ipaddress

from facecli.core.errors import InvalidInput, PolicyRefused


def checked_address(address: str, *, option: str, lowest_port: int = 1) -> str:
    """Return the address if it is HOST:PORT; otherwise InvalidInput names the option."""
    host, _, port = address.rpartition(":")
    if not host or not (port.isascii() and port.isdigit()) or not lowest_port <= int(port) <= 65535:
        raise InvalidInput(f"{option} {address!r} is not HOST:PORT")
    return address


def is_local(address: str) -> bool:
    """Whether the address is on the loopback interface, out of reach of other machines."""
    host = address.rpartition(":")[0].removeprefix("[").removesuffix("]")
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def check_exposure(bind: str, *, tls: bool, authenticated: bool) -> None:
    """PolicyRefused when other machines can reach a server without TLS or without authentication."""
    missing = [] if tls else ["TLS (--tls-cert, --tls-key)"]
    missing += [] if authenticated else ["authentication (--auth token)"]
    if missing and not is_local(bind):
        raise PolicyRefused(
            f"{bind} can be reached from other machines, so serve needs {' and '.join(missing)}; "
            "otherwise listen on 127.0.0.1, or use --insecure"
        )
