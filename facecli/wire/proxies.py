"""HTTP proxies for connections to a server, by the environment variables that other programs obey.

Loopback is never proxied: no proxy can reach it. `grpc_proxy` wins over `https_proxy` and that over
`http_proxy`; `no_grpc_proxy` and `no_proxy` list hosts that are reached directly. Names in capitals count
where the lower-case one is not set.
"""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field

from facecli.core.addresses import host_of, is_local

PROXY_VARIABLES = ("grpc_proxy", "https_proxy", "http_proxy")
EXCEPTION_VARIABLES = ("no_grpc_proxy", "no_proxy")


@dataclass(frozen=True, slots=True, kw_only=True)
class Proxy:
    """A proxy, and the environment variable that names it. `url` may hold a password."""

    url: str = field(repr=False)
    variable: str

    @property
    def name(self) -> str:
        """The URL without credentials, and the variable, for messages."""
        scheme, separator, rest = self.url.rpartition("://")
        return f"{scheme}{separator}{rest.rpartition('@')[2]} ({self.variable})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Proxies:
    """The proxy of an environment, and the hosts that are reached without it."""

    proxy: Proxy | None = None
    exceptions: tuple[str, ...] = ()

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Proxies":
        named = _first(environment, PROXY_VARIABLES)
        excepted = _first(environment, EXCEPTION_VARIABLES)
        hosts = excepted[1].split(",") if excepted else []
        return cls(
            proxy=_proxy(*named) if named else None,
            exceptions=tuple(host.strip().lower() for host in hosts if host.strip()),
        )

    def of(self, address: str) -> Proxy | None:
        """The proxy for HOST:PORT; None if it is reached directly."""
        host = host_of(address).lower()
        if is_local(address) or any(_matches(host, exception) for exception in self.exceptions):
            return None
        return self.proxy


DIRECT = Proxies()


def _first(environment: Mapping[str, str], names: tuple[str, ...]) -> tuple[str, str] | None:
    """The first variable that is set, and its value."""
    for name in names:
        for spelling in (name, name.upper()):
            if value := environment.get(spelling, "").strip():
                return spelling, value
    return None


def _proxy(variable: str, value: str) -> Proxy | None:
    """The proxy of a variable; gRPC knows only the scheme http."""
    url = value if "://" in value else f"http://{value}"
    return Proxy(url=url, variable=variable) if url.lower().startswith("http://") else None


def _matches(host: str, exception: str) -> bool:
    """Whether an entry of no_proxy covers a host: `*`, a name or a domain, an address or a network."""
    if exception == "*":
        return True
    try:
        return ipaddress.ip_address(host) in ipaddress.ip_network(exception.strip("[]"), strict=False)
    except ValueError:
        domain = exception.removeprefix("*").removeprefix(".")
        return host == domain or host.endswith(f".{domain}")
