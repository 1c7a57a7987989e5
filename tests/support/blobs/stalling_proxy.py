"""A proxy before an S3 server that keeps chosen requests waiting, while others pass."""

import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress

from tests.support.eventually import DEADLINE

BLOCK = 256 * 1024  # bytes

Stalled = Callable[[str], bool]  # by the first line of a request


class StallingProxy:
    """Forwards requests; those that `is_stalled` matches wait until `release`, and are in `waiting`."""

    def __init__(self, server: str, listener: socket.socket) -> None:
        host, _, port = server.removeprefix("http://").rpartition(":")
        self._server = host, int(port)
        self._listener = listener
        self._released = threading.Event()
        self._is_stalled: Stalled = lambda line: False
        self.waiting = list[str]()
        self.endpoint = f"http://127.0.0.1:{listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def stall(self, is_stalled: Stalled) -> None:
        self._released = threading.Event()
        self.waiting = []
        self._is_stalled = is_stalled

    def release(self) -> None:
        self._is_stalled = lambda line: False
        self._released.set()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._connection, args=(client,), daemon=True).start()

    def _connection(self, client: socket.socket) -> None:
        with closing(client), suppress(OSError), socket.create_connection(self._server) as server:
            threading.Thread(target=_pump, args=(server, client), daemon=True).start()
            try:
                self._forward(client, server)
            finally:
                server.shutdown(socket.SHUT_RDWR)  # close alone leaves it open while it is read

    def _forward(self, client: socket.socket, server: socket.socket) -> None:
        received = b""
        while True:
            while b"\r\n\r\n" not in received:
                if not (data := client.recv(BLOCK)):
                    return
                received += data
            head, _, rest = received.partition(b"\r\n\r\n")
            self._wait(head.partition(b"\r\n")[0].decode())
            found = re.search(rb"^content-length: *(\d+)", head, re.IGNORECASE | re.MULTILINE)
            size = int(found[1]) if found else 0
            server.sendall(head + b"\r\n\r\n" + rest[:size])
            left, received = size - len(rest), rest[size:]
            while left > 0:
                if not (data := client.recv(min(BLOCK, left))):
                    return
                server.sendall(data)
                left -= len(data)

    def _wait(self, line: str) -> None:
        released = self._released
        if self._is_stalled(line):
            self.waiting.append(line)
            released.wait(DEADLINE)


def _pump(server: socket.socket, client: socket.socket) -> None:
    with suppress(OSError):
        while data := server.recv(BLOCK):
            client.sendall(data)


@contextmanager
def stalling_proxy(server: str) -> Iterator[StallingProxy]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        proxy = StallingProxy(server, listener)
        try:
            yield proxy
        finally:
            proxy.release()


def part(number: int) -> Stalled:
    """The request that uploads the part of this number."""
    return lambda line: line.startswith("PUT ") and f"partNumber={number}" in re.split("[?& ]", line)
