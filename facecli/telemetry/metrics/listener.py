"""The HTTP server of `--metrics`: one page, on a port of its own.

Theory of operation. It needs no token, so nothing that a caller does may keep Prometheus out. Every
connection has a thread and answers one request. At most MAX_CONNECTIONS are open; one more closes the oldest,
which is that of a client that sends or reads nothing, because a request is answered in milliseconds. Calls of
users take none of these threads, so metrics are there also when all slots are taken.
"""

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, HTTPServer
from socketserver import ThreadingMixIn
from typing import Any

from facecli.core.errors import InvalidInput
from facecli.telemetry.metrics.exposition import CONTENT_TYPE

PATH = "/metrics"
MAX_CONNECTIONS = 16
STOP_SECONDS = 0.1  # for which `stop` may wait
IDLE_SECONDS = 10.0  # for which a client may send or read nothing


class MetricsListener:
    """Serves the page from `start` to `stop`, at `url`; InvalidInput when it cannot listen there."""

    def __init__(self, bind: str, page: Callable[[], bytes], *, idle: float = IDLE_SECONDS) -> None:
        host, _, port = bind.rpartition(":")
        try:
            self._server = _Server(host.removeprefix("[").removesuffix("]"), int(port), page, idle)
        except OSError as error:
            raise InvalidInput(
                f"cannot listen on {bind}: the port is taken, or the address is not one of this machine"
            ) from error
        self.url = f"http://{host}:{self._server.server_port}{PATH}"
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(STOP_SECONDS,), name="metrics", daemon=True
        )

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        if self._thread.is_alive():
            self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingMixIn, HTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128  # connections that wait to be accepted

    def __init__(self, host: str, port: int, page: Callable[[], bytes], idle: float) -> None:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        self.address_family = found[0][0]
        self.page = page
        self.idle = idle
        self._open = dict[socket.socket, None]()  # oldest first
        self._lock = threading.Lock()
        super().__init__((host, port), _Handler)

    def server_bind(self) -> None:
        """Bind without asking DNS for the name of this machine, as the base class does."""
        super(HTTPServer, self).server_bind()
        self.server_name, self.server_port = self.server_address[:2]  # type: ignore[assignment]

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._lock:
            oldest = next(iter(self._open)) if len(self._open) >= MAX_CONNECTIONS else None
            if oldest is not None:
                del self._open[oldest]
                with suppress(OSError):  # its client has closed it
                    oldest.shutdown(socket.SHUT_RDWR)
            self._open[request] = None
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._lock:
            self._open.pop(request, None)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Log no error: the client has gone, or was too slow."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def setup(self) -> None:
        self.request.settimeout(self.server.idle)
        super().setup()

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def version_string(self) -> str:
        return "facecli"

    def log_message(self, format: str, *args: Any) -> None:
        """Log no request: Prometheus asks every few seconds."""

    def _answer(self, *, with_body: bool) -> None:
        if self.path.partition("?")[0] != PATH:
            self.send_error(HTTPStatus.NOT_FOUND, f"the metrics are at {PATH}")
            return
        page = self.server.page()
        self.send_response(HTTPStatus.OK)
        self.send_header("content-type", CONTENT_TYPE)
        self.send_header("content-length", str(len(page)))
        self.send_header("cache-control", "no-store")
        self.end_headers()
        if with_body:
            self.wfile.write(page)
