"""The listening socket of the HTTP server, which bounds the number of open connections.

A connection counts from its acceptance to the close of its socket. uvicorn learns of a connection only after
the TLS handshake, so that it cannot count those that never finish theirs.
"""

import socket
from typing import Any, Self
from weakref import WeakSet

from facecli.core.errors import InvalidInput

BACKLOG = 1024  # connections that wait to be accepted


class Listener(socket.socket):
    """Accepts connections from its creation on; they wait until the server has started."""

    _max_connections: int
    _open: "WeakSet[socket.socket]"  # weak: a failed TLS set-up only drops its socket

    @classmethod
    def bound(cls, bind: str, *, max_connections: int) -> Self:
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
        connection = _Accepted(self.family, self.type, self.proto, fileno=accepted.detach())
        connection.siblings = self._open
        self._open.add(connection)
        return connection, address


class _Accepted(socket.socket):
    siblings: "WeakSet[socket.socket]"

    def close(self) -> None:
        self.siblings.discard(self)
        super().close()
