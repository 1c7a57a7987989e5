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


def check_bind(address: str, *, insecure: bool) -> None:
    """PolicyRefused for an address that other machines reach, unless `insecure` says so."""
    checked_address(address, option="--bind", lowest_port=0)
    if not is_local(address) and not insecure:
        raise PolicyRefused(
            f"{address} can be reached from other machines, and nothing that travels is encrypted; "
            "listen on 127.0.0.1 behind a tunnel or a TLS proxy, or say --insecure"
        )
