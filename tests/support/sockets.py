"""Plain sockets on both sides of a proxy."""

import select
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress

DEADLINE = 60.0  # seconds after which a test gives up; never a bound on how long a step may take


class Ends:
    """A server that listens at `address`, and clients; `join` makes a connection through a proxy."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(DEADLINE)
        self._sockets = [self._listener]
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"

    def receive_little(self) -> None:
        """Give the next connections a small receive buffer, so that unread bytes stay with the sender."""
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)

    def join(self, proxy: str) -> tuple[socket.socket, socket.socket]:
        """Connect through the proxy; returns the client's and the server's socket."""
        client = self.connect(proxy)
        if self._listener not in select.select([self._listener, client], [], [], DEADLINE)[0]:
            raise ConnectionError(f"the proxy at {proxy} ended a new connection")
        server, _ = self._listener.accept()
        server.settimeout(DEADLINE)
        self._sockets.append(server)
        return client, server

    def connect(self, proxy: str) -> socket.socket:
        host, _, port = proxy.rpartition(":")
        client = socket.create_connection((host, int(port)), DEADLINE)
        self._sockets.append(client)
        return client

    def close(self) -> None:
        for each in self._sockets:
            each.close()


def exactly(end: socket.socket, count: int) -> bytes:
    """Receive exactly `count` bytes."""
    parts = bytearray()
    while len(parts) < count:
        data = end.recv(count - len(parts))
        assert data, f"the end came after {len(parts)} of {count} bytes"
        parts += data
    return bytes(parts)


def everything(end: socket.socket) -> bytes:
    """Receive all bytes until the end, whether FIN or RST."""
    parts = bytearray()
    with suppress(ConnectionResetError):
        while data := end.recv(1 << 20):
            parts += data
    return bytes(parts)


def push(end: socket.socket, data: bytes) -> None:
    """Send until done or until the other side ends."""
    with suppress(ConnectionResetError, BrokenPipeError):
        end.sendall(data)


def silent(end: socket.socket) -> bool:
    """Whether nothing has arrived, not even an end."""
    end.setblocking(False)
    try:
        end.recv(1)
    except BlockingIOError:
        return True
    finally:
        end.settimeout(DEADLINE)
    return False


@contextmanager
def reserved_address() -> Iterator[str]:
    """An address for a server that is restarted: no other process takes it while the server is down."""
    with socket.socket() as reserved:
        reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        reserved.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{reserved.getsockname()[1]}"


def free_port() -> int:
    """A port that nothing listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
        return port


def is_open(address: str) -> bool:
    """Whether a server listens at HOST:PORT."""
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host, int(port)), 5).close()
    except OSError:
        return False
    return True
