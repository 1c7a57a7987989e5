"""A plain HTTP client of tests, made of the standard library, and raw connections."""

import http.client
import json
import socket
import ssl
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

DEADLINE = 60.0  # seconds after which a test fails

Headers = Mapping[str, str]


@dataclass(frozen=True)
class Answer:
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def reason(self) -> str:
        """The reason of a refusal."""
        return str(self.json["error"]["reason"])


def connected(url: str, *, tls: ssl.SSLContext | None = None) -> http.client.HTTPConnection:
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port
    if parts.scheme == "https":
        return http.client.HTTPSConnection(host, port, timeout=DEADLINE, context=tls)
    return http.client.HTTPConnection(host, port, timeout=DEADLINE)


def ask(
    url: str,
    path: str,
    *,
    method: str = "GET",
    headers: Headers | None = None,
    body: bytes | Iterable[bytes] | None = None,
    tls: ssl.SSLContext | None = None,
) -> Answer:
    """One request on a connection of its own."""
    connection = connected(url, tls=tls)
    try:
        connection.request(method, path, body=body, headers=dict(headers or {}))
        return answer_of(connection)
    finally:
        connection.close()


def answer_of(connection: http.client.HTTPConnection) -> Answer:
    response = connection.getresponse()
    return Answer(response.status, response.headers, response.read())


def raw(url: str, data: bytes = b"") -> socket.socket:
    """A connection on which these bytes were sent."""
    parts = urlsplit(url)
    opened = socket.create_connection((parts.hostname or "", parts.port or 0), DEADLINE)
    opened.sendall(data)
    return opened


def received(connection: socket.socket) -> bytes:
    """Everything until the server closes the connection."""
    found = b""
    try:
        while data := connection.recv(1 << 16):
            found += data
    except ConnectionError:
        pass
    return found


def until(connection: socket.socket, expected: bytes) -> bytes:
    """Everything that arrives up to and with these bytes; fails when the connection ends first."""
    found = b""
    while expected not in found:
        data = connection.recv(1 << 16)
        assert data, found
        found += data
    return found
