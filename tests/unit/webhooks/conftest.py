"""A receiver of webhooks that answers as a test says."""

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import SimpleQueue

import pytest


@dataclass(slots=True)
class Receiver:
    """Answers with the given status codes in turn, then with 204. 0 answers nothing until the test ends."""

    port: int = 0
    answers: SimpleQueue[int] = field(default_factory=SimpleQueue)
    location: str = ""
    received: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    ended: threading.Event = field(default_factory=threading.Event)

    scheme: str = "http"

    @property
    def url(self) -> str:
        return f"{self.scheme}://hooks.test:{self.port}/path?a=b"

    def answer(self, *codes: int) -> None:
        for code in codes:
            self.answers.put(code)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with served(Receiver()) as receiver:
        yield receiver


@contextmanager
def served(receiver: Receiver, context: ssl.SSLContext | None = None) -> Iterator[Receiver]:
    """Run the receiver, with a context by HTTPS."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            content = self.rfile.read(int(self.headers["content-length"]))
            receiver.received.append(({name.lower(): value for name, value in self.headers.items()}, content))
            code = 204 if receiver.answers.empty() else receiver.answers.get()
            if not code:
                receiver.ended.wait()
                return
            self.send_response(code)
            self.send_header("location", receiver.location)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        if context:
            receiver.scheme = "https"
            server.socket = context.wrap_socket(server.socket, server_side=True)
        receiver.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield receiver
        receiver.ended.set()
        server.shutdown()
        thread.join()
