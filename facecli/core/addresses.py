"""Where a server listens: HOST:PORT, and whether that stays on this machine."""

import ipaddress

from facecli.core.errors import InvalidInput, PolicyRefused


def checked_address(address: str, *, option: str, lowest_port: int = 1) -> str:
    """The address; InvalidInput naming the option when it is not HOST:PORT."""
    host, _, port = address.rpartition(":")
    if not host or not (port.isascii() and port.isdigit()) or not lowest_port <= int(port) <= 65535:
        raise InvalidInput(f"{option} {address!r} is not HOST:PORT")
    return address


def is_local(address: str) -> bool:
    """Whether no other machine can be at, or reach, this address."""
    host = address.rpartition(":")[0].removeprefix("[").removesuffix("]")
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def check_guarded(bind: str, *, tls: bool, asks_who: bool) -> None:
    """PolicyRefused when other machines can reach it and it has no TLS, or does not ask who calls."""
    missing = [] if tls else ["TLS (--tls-cert, --tls-key)"]
    missing += [] if asks_who else ["to ask who calls (--auth token)"]
    if missing and not is_local(bind):
        raise PolicyRefused(
            f"{bind} can be reached from other machines, so serve needs {' and '.join(missing)}; "
            "else listen on 127.0.0.1, or say --insecure"
        )
