"""The address of a client behind proxies, of which only trusted ones are believed.

Theory of operation: every proxy appends the address that it sees to the header. Read from the end, an entry
is true as long as the one who wrote it is trusted: the peer of the connection wrote the last entry, and the
proxy that an entry names wrote the one before. So the client is the last entry that is no trusted proxy;
whatever stands before it may be invented. Only one header counts, the one that the proxies are known to
write: another one would come from the client, untouched.
"""

import ipaddress
import re
from collections.abc import Iterable, Iterator
from urllib.parse import unquote

from facecli.core.errors import InvalidInput

PROXY_HEADERS = frozenset({"forwarded", "via", "x-forwarded-for", "x-forwarded-proto", "x-real-ip"})
MAX_CHAIN = 2048  # characters of a header
PROXY_PROTOCOL = "proxy-protocol"

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_VALUE = rf'(?:{_TOKEN}|"(?:[^"\\]|\\.)*")'
_PAIR = re.compile(rf"\s*({_TOKEN})=({_VALUE})\s*([;,]|$)")
_PEER = re.compile(r"ipv[46]:(?P<host>.*?)(?::\d+)?")
_NODE = re.compile(r"\[(?P<v6>[0-9A-Fa-f:.]+)\](?::\d{1,5})?|(?P<v4>[0-9.]+)(?::\d{1,5})?")


class TrustedProxies:
    """Proxies by their networks, such as `10.0.0.0/8,::1`. InvalidInput for a malformed one.

    `header` is how they pass the address of the client on: `x-forwarded-for`, `forwarded` (RFC 7239), or
    `proxy-protocol` at the start of a connection.
    """

    def __init__(self, networks: str = "", *, header: str = "x-forwarded-for") -> None:
        self._networks = [_network(each.strip()) for each in networks.split(",") if each.strip()]
        self._header = header

    @property
    def uses_proxy_protocol(self) -> bool:
        return bool(self._networks) and self._header == PROXY_PROTOCOL

    def trusts(self, host: str) -> bool:
        """Whether an address is that of a trusted proxy."""
        address = _address(host)
        return bool(address and self._trusts(address))

    def reads_header_of(self, host: str) -> bool:
        """Whether a request from this address may name its client in a header."""
        return self._header != PROXY_PROTOCOL and self.trusts(host)

    def client(self, host: str, headers: Iterable[tuple[str, str | bytes]]) -> str:
        """The address of the client of a request that came from `host` with these headers, in their order."""
        if not self.reads_header_of(host):
            return host
        lines = [value for name, value in headers if name.lower() == self._header]
        chain = ",".join(line if isinstance(line, str) else line.decode("latin-1") for line in lines)
        if len(chain) > MAX_CHAIN:
            return host
        client = host
        for entry in self._entries(chain):
            if entry is None:
                break
            client = str(entry)
            if not self._trusts(entry):
                break
        return client

    def peer(self, peer: str, metadata: Iterable[tuple[str, str | bytes]]) -> str:
        """The client of a call, given its peer as gRPC writes it, in that form; without a port if it is
        another one than the peer."""
        host = host_of_peer(peer) if self._networks else ""
        if not host:
            return peer
        client = self.client(host, metadata)
        return peer if client == host else peer_name(client)

    def _trusts(self, address: Address) -> bool:
        return any(address.version == each.version and address in each for each in self._networks)

    def _entries(self, chain: str) -> Iterator[Address | None]:
        """From the last to the first; None for one that is no address."""
        entries = chain.split(",") if self._header == "x-forwarded-for" else _forwarded(chain)
        return (_node(entry.strip()) for entry in reversed(entries))


def host_of_peer(peer: str) -> str:
    """The address of a peer as gRPC writes it, without its port; empty for one that has none."""
    found = _PEER.fullmatch(peer)
    return unquote(found["host"]).strip("[]") if found else ""


def peer_name(host: str, port: int = 0) -> str:
    """The address of a client as gRPC writes it; without a port if it is 0."""
    if ":" in host:
        return f"ipv6:[{host}]" + (f":{port}" if port else "")
    return f"ipv4:{host}" + (f":{port}" if port else "")


def _forwarded(chain: str) -> list[str]:
    """The `for` of each element of RFC 7239, empty without; none at all if the header is malformed."""
    nodes, node, at = list[str](), "", 0
    while at < len(chain):
        pair = _PAIR.match(chain, at)
        if not pair:
            return []
        name, value, end = pair.groups()
        if name.lower() == "for":
            node = re.sub(r"\\(.)", r"\1", value[1:-1]) if value.startswith('"') else value
        if end != ";":
            nodes.append(node)
            node = ""
        at = pair.end()
    return nodes


def _node(text: str) -> Address | None:
    """An address, which may have a port; None for a name, `unknown` and everything else."""
    if address := _address(text):
        return address
    found = _NODE.fullmatch(text)
    return _address(found["v6"] or found["v4"]) if found else None


def _address(text: str) -> Address | None:
    if "%" in text:  # a zone, which may be any text
        return None
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    try:
        return ipaddress.ip_network(text)
    except ValueError as error:
        raise InvalidInput(
            f"trusted_proxies: {text!r} is no network; write 10.0.0.0/8 or 192.0.2.7"
        ) from error
