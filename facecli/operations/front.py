"""The public address of servers behind a proxy, and the ways to reach them."""

from collections.abc import Sequence
from dataclasses import dataclass

from facecli.core.addresses import is_local
from facecli.core.errors import InvalidInput

UNREADABLE = '"$\\\n\r\0'  # in the paths of a configuration


@dataclass(frozen=True, slots=True, kw_only=True)
class Front:
    """A public name and port, and the servers behind them.

    `servers` are the addresses of gRPC; HTTP is on `http_port` of the same hosts. `ca` is the file that
    verifies the certificates of the servers, which name the public host; without it they are reached without
    TLS. InvalidInput for a path that no proxy could read.
    """

    name: str
    port: int
    servers: Sequence[str]
    http_port: int
    cert: str
    key: str
    ca: str = ""

    def __post_init__(self) -> None:
        for path in (self.cert, self.key, self.ca):
            if set(path) & set(UNREADABLE):
                raise InvalidInput(
                    f"{path!r} is no path for a proxy: use one without quotes, $, \\ and newlines"
                )

    @property
    def http_servers(self) -> list[str]:
        """The addresses of HTTP."""
        return [f"{server.rpartition(':')[0]}:{self.http_port}" for server in self.servers]

    def serve_command(self, *options: str, tls: bool) -> str:
        """The command that starts the first server, for a comment; `tls` is whether it encrypts."""
        plain = [] if is_local(self.servers[0]) else ["--insecure"]
        words = [
            *("facecli serve --bind", self.servers[0], "--http", self.http_servers[0]),
            *("--http-url", f"https://{self.name}" + ("" if self.port == 443 else f":{self.port}")),
            *("--auth token --trusted-proxies PROXY", *options),
            *(["--tls-cert CERT --tls-key KEY"] if tls else plain),
        ]
        return " ".join(words)
