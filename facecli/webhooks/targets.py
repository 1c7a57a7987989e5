"""The rule which receivers a server notifies, so that nobody makes it send requests elsewhere.

Theory of operation. A user names the URL, so it is input: the server could be led to a service that only it
can reach. First, the host must be one that the operator allows. Second, its addresses must be public, unless
the operator allows their network: the owner of a name can point it to a private address. Third, the
addresses are checked after the name is resolved, and the connection goes to the checked address, so that a
second answer of DNS changes nothing. Redirects are not followed.
"""

import ipaddress
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from facecli.core.errors import InvalidInput, NotConfigured, PolicyRefused, Unavailable
from facecli.core.printable import escaped

MAX_URL = 2000  # characters
_PORTS = {"http": 80, "https": 443}
# Prefixes of IPv6 that lead to an IPv4 address inside.
_TRANSLATED = [ipaddress.ip_network("64:ff9b::/96"), ipaddress.ip_network("64:ff9b:1::/48")]

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Resolve = Callable[[str, int], Sequence[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A URL taken apart. `path` includes the query."""

    secure: bool
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        """The value of the header Host."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS["https" if self.secure else "http"] else f"{host}:{self.port}"


def resolve(host: str, port: int) -> Sequence[str]:
    """The addresses of a host by DNS; Unavailable if there are none."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise Unavailable(f"the name {host} cannot be resolved") from error
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class TargetPolicy:
    """The hosts and private networks that may be notified.

    `hosts` are names, `*.example.org` for every name below, or addresses; separated by commas, as are
    `networks`, such as 10.0.0.0/8. InvalidInput for malformed ones.
    """

    def __init__(self, *, hosts: str, networks: str, resolve: Resolve = resolve) -> None:
        self._hosts = [each.strip().lower() for each in hosts.split(",") if each.strip()]
        self._networks = [_network(each.strip()) for each in networks.split(",") if each.strip()]
        self._resolve = resolve

    @property
    def configured(self) -> bool:
        return bool(self._hosts)

    def check(self, url: str) -> Target:
        """The target of a URL that may be notified, as far as its text tells."""
        if not self.configured:
            raise NotConfigured(
                "this server notifies nobody; its operator can set FACECLI_NOTIFY_HOSTS and "
                "FACECLI_NOTIFY_KEY"
            )
        target = _parsed(url)
        if not any(_matches(target.host, allowed) for allowed in self._hosts):
            raise PolicyRefused(
                f"this server does not notify {target.host}; its operator can add it to FACECLI_NOTIFY_HOSTS"
            )
        address = _address(target.host)
        if address and not self._is_allowed(address):
            raise _private(target, target.host)
        return target

    def addresses(self, target: Target) -> Sequence[str]:
        """The addresses to connect to; PolicyRefused if one of them is not public and not allowed."""
        found = self._resolve(target.host, target.port)
        for each in found:
            address = _address(each)
            if address is None or not self._is_allowed(address):
                raise _private(target, each)
        if not found:
            raise Unavailable(f"the name {target.host} has no address")
        return found

    def _is_allowed(self, address: Address) -> bool:
        address = _inner(address)
        if any(address.version == network.version and address in network for network in self._networks):
            return True
        return address.is_global and not (address.is_multicast or address.is_reserved)


def _parsed(url: str) -> Target:
    shown = escaped(url[:200])
    if len(url) > MAX_URL or not url.isascii() or not url.isprintable() or " " in url:
        raise InvalidInput(f"{shown} is no URL of a receiver: at most {MAX_URL} printable ASCII characters")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise InvalidInput(f"{shown} is no URL of a receiver: {error}") from error
    if parts.scheme not in _PORTS or not parts.hostname:
        raise InvalidInput(f"{shown} is no URL of a receiver; write https://HOST/PATH")
    if parts.username is not None or parts.fragment or "\\" in url:
        raise InvalidInput(
            f"{shown} is no URL of a receiver: it must have no user, no fragment, no backslash"
        )
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(
        secure=parts.scheme == "https",
        host=parts.hostname.lower().removesuffix("."),
        port=_PORTS[parts.scheme] if port is None else port,
        path=path,
    )


def _matches(host: str, allowed: str) -> bool:
    if allowed.startswith("*."):
        return host.endswith(allowed[1:]) and _address(host) is None
    return host == allowed


def _address(text: str) -> Address | None:
    try:
        return ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None


def _inner(address: Address) -> Address:
    """The IPv4 address that an IPv6 address leads to, otherwise the address itself."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address.ipv4_mapped:
        return address.ipv4_mapped
    if address.sixtofour:
        return address.sixtofour
    if any(address in network for network in _TRANSLATED):
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def _network(text: str) -> Network:
    try:
        return ipaddress.ip_network(text)
    except ValueError as error:
        raise InvalidInput(f"notify_networks: {text!r} is no network; write 10.0.0.0/8") from error


def _private(target: Target, address: str) -> PolicyRefused:
    found = "" if address == target.host else f"{target.host} is at "
    return PolicyRefused(
        f"this server notifies no private addresses: {found}{address}; its operator can add the network to "
        "FACECLI_NOTIFY_NETWORKS"
    )
