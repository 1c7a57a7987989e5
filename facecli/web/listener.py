"""The listening socket of the HTTP server, which bounds the number of open connections.

Theory of operation of the PROXY protocol: its header comes before everything else on a connection, also
before the TLS handshake. So the socket itself takes it from the bytes that it receives; the ones above read
only what follows, and ask for the address of the peer once the first bytes are there.

A connection counts from its acceptance to the close of its socket. uvicorn learns of a connection only after
the TLS handshake, so that it cannot count those that never finish theirs.
"""

import logging
import socket
from typing import Any, Self
from weakref import WeakSet

from facecli.api.client_address import TrustedProxies, peer_name
from facecli.core.errors import InvalidInput
from facecli.web.proxy_protocol import MAX_HEADER, MalformedHeader, parse

BACKLOG = 1024  # connections that wait to be accepted

_log = logging.getLogger(__name__)


class Listener(socket.socket):
    """Accepts connections from its creation on; they wait until the server has started."""

    _max_connections: int
    _proxies: TrustedProxies
    _open: "WeakSet[socket.socket]"  # weak: a failed TLS set-up only drops its socket

    @classmethod
    def bound(cls, bind: str, *, max_connections: int, proxies: TrustedProxies) -> Self:
        """InvalidInput when it cannot listen on this host and port."""
        host, _, port = bind.rpartition(":")
        host = host.removeprefix("[").removesuffix("]")
        try:
            family, kind, protocol, _, address = socket.getaddrinfo(
                host, int(port), type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
            )[0]
            listener = cls(family, kind, protocol)
        except OSError as error:
            raise InvalidInput(f"cannot listen on {bind}: {error.strerror}") from error
        listener._max_connections, listener._open = max_connections, WeakSet()
        listener._proxies = proxies
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
            listener.listen(BACKLOG)
        except OSError as error:
            listener.close()
            raise InvalidInput(
                f"cannot listen on {bind}: the port is taken, or the address is not one of this machine"
            ) from error
        return listener

    def accept(self) -> tuple[socket.socket, Any]:
        """ConnectionAbortedError, after which asyncio goes on, when there are too many connections."""
        accepted, address = super().accept()
        if len(self._open) >= self._max_connections:
            accepted.close()
            raise ConnectionAbortedError("too many connections")
        proxied = self._proxies.uses_proxy_protocol and self._proxies.trusts(address[0])
        kind = _Proxied if proxied else _Accepted
        connection = kind(self.family, self.type, self.proto, fileno=accepted.detach())
        connection.siblings = self._open
        self._open.add(connection)
        return connection, address


class _Accepted(socket.socket):
    siblings: "WeakSet[socket.socket]"

    def close(self) -> None:
        self.siblings.discard(self)
        super().close()


class _Proxied(_Accepted):
    """A connection of a trusted proxy, which begins with a PROXY header."""

    _begun: bytes | None = b""  # of the header; None once it is complete
    _client: tuple[str, int] | None = None

    def recv(self, size: int, flags: int = 0, /) -> bytes:
        if self._begun is not None:
            rest = self._after_header(size)
            if rest is not None:
                return rest
        return super().recv(size, flags)

    def recv_into(self, buffer: Any, nbytes: int = 0, flags: int = 0, /) -> int:
        if self._begun is not None:
            rest = self._after_header(nbytes or len(buffer))
            if rest is not None:
                buffer[: len(rest)] = rest
                return len(rest)
        return super().recv_into(buffer, nbytes, flags)

    def getpeername(self) -> Any:
        """The client that the proxy named; the proxy before."""
        return self._client or super().getpeername()

    def _after_header(self, size: int) -> bytes | None:
        """The bytes behind the header, empty at the end of the connection, None if there are none yet.

        BlockingIOError while it is incomplete, as for a connection without new bytes; ConnectionAbortedError
        for a malformed one.
        """
        assert self._begun is not None
        received = super().recv(min(size, MAX_HEADER))
        if not received:
            return b""
        self._begun += received
        try:
            header = parse(self._begun)
        except MalformedHeader as error:
            proxy = peer_name(*super().getpeername()[:2])
            fields = {"peer": proxy, "reason": str(error)}
            _log.warning("connection closed: malformed PROXY header", extra=fields)
            raise ConnectionAbortedError("malformed PROXY header") from error
        if header is None:
            raise BlockingIOError
        rest, self._begun, self._client = self._begun[header.size :], None, header.client
        return rest or None
