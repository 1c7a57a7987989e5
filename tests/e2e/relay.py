"""A way to a server that can be held after so many bytes, so that a break comes where a test wants it."""

import os
import select
import socket
import threading
from contextlib import suppress
from types import TracebackType
from typing import Self

BLOCK = 64 * 1024  # bytes


class Relay:
    """Listens at `address`. The first `quota` bytes towards the server pass; the rest waits for `release`.

    A connection ends on both sides when one side ends it, also while it is held. On leaving, what is held
    is lost.
    """

    def __init__(self, server: str, *, quota: int) -> None:
        host, _, port = server.rpartition(":")
        self._server = (host, int(port))
        self._left = quota
        self._lock = threading.Lock()
        self._released = threading.Event()
        self._wake, self._bell = os.pipe()
        self._threads: list[threading.Thread] = []
        self._sockets: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"

    def release(self) -> None:
        """From now on everything passes."""
        self._released.set()
        os.write(self._bell, b"!")

    def __enter__(self) -> Self:
        self._run(self._accept)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.write(self._bell, b"!")
        _end(self._listener, *self._sockets)
        for thread in self._threads:
            thread.join()
        for each in (self._listener, *self._sockets):
            each.close()
        os.close(self._wake)
        os.close(self._bell)

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client = self._listener.accept()[0]
                self._sockets.append(client)
                try:
                    server = socket.create_connection(self._server)
                except OSError:
                    _end(client)
                    continue
                self._sockets.append(server)
                self._run(self._pass, client, server, True)
                self._run(self._pass, server, client, False)

    def _pass(self, source: socket.socket, target: socket.socket, counted: bool) -> None:
        with suppress(OSError):
            while data := source.recv(BLOCK):
                if counted and not self._let_through(len(data)):
                    self._hold(source)
                target.sendall(data)
        _end(source, target)

    def _let_through(self, count: int) -> bool:
        with self._lock:
            self._left -= count
            return self._left >= 0

    def _hold(self, source: socket.socket) -> None:
        """Until the release, or until the source is gone, of which what it sent before tells nothing."""
        poll = select.poll()
        poll.register(source, select.POLLRDHUP)
        poll.register(self._wake, select.POLLIN)
        poll.poll()
        if not self._released.is_set():
            raise ConnectionResetError

    def _run(self, work: object, *arguments: object) -> None:
        assert callable(work)
        thread = threading.Thread(target=work, args=arguments)
        self._threads.append(thread)
        thread.start()


def _end(*sockets: socket.socket) -> None:
    for each in sockets:
        with suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)
