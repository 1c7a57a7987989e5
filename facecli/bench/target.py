"""The server that a bench measures."""

from collections.abc import Callable
from dataclasses import dataclass

from facecli.client.connection import Connection
from facecli.core.tls import ClientTls
from facecli.wire.proxies import Proxies


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A server, the credentials for it, and the time limits of its clients, in seconds."""

    servers: str
    user: str
    token: Callable[[], str]
    tls: ClientTls | None
    call_timeout: float
    proxies: Proxies
    retry_for: float
    insecure: bool

    def connect(self, servers: str = "") -> Connection:
        """Connect to the server, or to the proxy at `servers`."""
        return Connection(
            servers or self.servers,
            token=self.token,
            call_timeout=self.call_timeout,
            proxies=self.proxies,
            tls=self.tls,
            insecure=self.insecure,
        )
