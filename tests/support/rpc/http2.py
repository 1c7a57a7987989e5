"""Raw HTTP/2 connections of a client that breaks off wherever a test wants."""

import select
import socket
from collections.abc import Iterable
from contextlib import suppress

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import (
    ConnectionTerminated,
    DataReceived,
    Event,
    ResponseReceived,
    StreamEnded,
    StreamReset,
    TrailersReceived,
)
from h2.settings import SettingCodes

DEADLINE = 60.0  # seconds after which a test fails
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\x04\0\0\0\0\0"  # and an empty SETTINGS frame
HALF_MESSAGE = b"\0\0\0\x10\0" + b"half"  # announces 4096 bytes

Headers = Iterable[tuple[str, str]]


def tcp(address: str) -> socket.socket:
    """An idle connection."""
    host, _, port = address.rpartition(":")
    return socket.create_connection((host, int(port)), DEADLINE)


class RawConnection:
    """An HTTP/2 connection to a gRPC server, and what came back on each of its streams."""

    def __init__(self, address: str, *, window: int | None = None) -> None:
        """`window` is the number of bytes that the server may send on a stream."""
        self.socket = tcp(address)
        self._http = H2Connection(H2Configuration(client_side=True, header_encoding="utf-8"))
        self._http.initiate_connection()
        if window is not None:
            self._http.update_settings({SettingCodes.INITIAL_WINDOW_SIZE: window})
        self.statuses: dict[int, str] = {}  # grpc-status, or "reset"
        self.trailers: dict[int, dict[str, str]] = {}
        self.data: dict[int, bytes] = {}
        self.closed = False
        self._flush()

    def call(self, path: str, headers: Headers = (), *, body: bytes = b"", end: bool = False) -> int:
        """Send the headers of a call, and a part of its body if any; the id of its stream."""
        stream = self._http.get_next_available_stream_id()
        fixed = [(":method", "POST"), (":scheme", "http"), (":path", path), (":authority", "localhost")]
        self._http.send_headers(
            stream, [*fixed, ("te", "trailers"), ("content-type", "application/grpc"), *headers]
        )
        if body or end:
            self._http.send_data(stream, body, end_stream=end)
        self._flush()
        return stream

    def reset(self, stream: int) -> None:
        self._http.reset_stream(stream)
        self._flush()

    def send(self, stream: int, data: bytes) -> None:
        self._http.send_data(stream, data)
        self._flush()

    def send_raw(self, data: bytes) -> None:
        """Send bytes that need not be HTTP/2; an end by the server is noted."""
        try:
            self.socket.sendall(data)
        except OSError:
            self.closed = True

    def status(self, stream: int, *, within: float = DEADLINE) -> str:
        """Wait for the gRPC status of a call, `reset` or `closed`."""
        while stream not in self.statuses and not self.closed:
            assert self.read(timeout=within), f"no status of stream {stream} within {within} s"
        return self.statuses.get(stream, "closed")

    def read(self, *, timeout: float = 0.0) -> bool:
        """Handle what the server sent; whether something came in time."""
        if self.closed or not select.select([self.socket], [], [], timeout)[0]:
            return self.closed
        data = b""
        with suppress(ConnectionError):
            data = self.socket.recv(1 << 16)
        self.closed = not data
        for event in self._http.receive_data(data) if data else ():
            self._handle(event)
        self._flush()
        return True

    def close(self) -> None:
        self.socket.close()

    def _handle(self, event: Event) -> None:
        match event:
            case (
                ResponseReceived(stream_id=int(stream), headers=headers)
                | TrailersReceived(stream_id=int(stream), headers=headers)
            ):
                fields = {str(name): str(value) for name, value in headers or ()}
                if "grpc-status" in fields:
                    self.statuses[stream], self.trailers[stream] = fields["grpc-status"], fields
            case DataReceived(stream_id=int(stream), data=data):
                self.data[stream] = self.data.get(stream, b"") + (data or b"")
            case StreamReset(stream_id=int(stream)) | StreamEnded(stream_id=int(stream)):
                self.statuses.setdefault(stream, "reset")
            case ConnectionTerminated():
                self.closed = True

    def _flush(self) -> None:
        self.send_raw(self._http.data_to_send())
