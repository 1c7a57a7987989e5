"""gRPC-Web over HTTP/1.1 as a gRPC channel, written from its specification, for the same stubs and tables."""

import base64
import http.client
import struct
from collections.abc import Callable, Iterable, Iterator
from typing import Any
from urllib.parse import unquote

import grpc

from tests.support.web.http_client import connected

CODES = {code.value[0]: code for code in grpc.StatusCode}
BINARY, TEXT = "application/grpc-web+proto", "application/grpc-web-text"

Metadata = tuple[tuple[str, str], ...]


class WebRefusal(grpc.RpcError, grpc.Call):
    """The status of a call that was refused, as grpcio presents it."""

    def __init__(self, trailers: dict[str, str]) -> None:
        super().__init__(trailers)
        self._code = CODES[int(trailers["grpc-status"])]
        self._details = unquote(trailers.get("grpc-message", ""))
        binary = trailers.get("grpc-status-details-bin")
        padded = binary + "=" * (-len(binary) % 4) if binary else ""
        self._metadata = (("grpc-status-details-bin", base64.b64decode(padded)),) if binary else ()

    def code(self) -> grpc.StatusCode:
        return self._code

    def details(self) -> str:
        return self._details

    def trailing_metadata(self) -> Any:
        return self._metadata

    def initial_metadata(self) -> Any: ...
    def is_active(self) -> bool:
        return False

    def time_remaining(self) -> Any: ...
    def cancel(self) -> bool:
        return False

    def add_callback(self, callback: Any) -> bool:
        return False


class WebChannel(grpc.Channel):
    """Calls one after the other share a connection, as in a browser."""

    def __init__(self, url: str, *, kind: str = BINARY) -> None:
        self._url = url
        self._kind = kind
        self._idle: list[http.client.HTTPConnection] = []

    def unary_unary(self, method: str, *more: Any, **named: Any) -> Any:
        return self._multi(method, *more, one_request=True, one_response=True, **named)

    def unary_stream(self, method: str, *more: Any, **named: Any) -> Any:
        return self._multi(method, *more, one_request=True, one_response=False, **named)

    def stream_unary(self, method: str, *more: Any, **named: Any) -> Any:
        return self._multi(method, *more, one_request=False, one_response=True, **named)

    def stream_stream(self, method: str, *more: Any, **named: Any) -> Any:
        return self._multi(method, *more, one_request=False, one_response=False, **named)

    def _multi(
        self,
        path: str,
        request_serializer: Callable[[Any], bytes],
        response_deserializer: Callable[[bytes], Any],
        *,
        one_request: bool,
        one_response: bool,
        _registered_method: bool = False,
    ) -> Callable[..., Any]:
        def call(request: Any, *, metadata: Metadata = (), timeout: float | None = None) -> Any:
            requests = [request] if one_request else request
            body: Any = (
                struct.pack(">BI", 0, len(data)) + data for data in map(request_serializer, requests)
            )
            if one_request or self._kind == TEXT:
                body = b"".join(body)
            messages = self._messages(path, body, metadata)
            responses = map(response_deserializer, messages)
            return _only(responses) if one_response else responses

        return call

    def _messages(self, path: str, body: bytes | Iterable[bytes], metadata: Metadata) -> Iterator[bytes]:
        connection = self._idle.pop() if self._idle else connected(self._url)
        headers = {"content-type": self._kind, "x-grpc-web": "1", **dict(metadata)}
        if self._kind == TEXT and isinstance(body, bytes):
            body = base64.b64encode(body)
        response = None
        try:
            connection.request("POST", path, body, headers, encode_chunked=not isinstance(body, bytes))
            response = connection.getresponse()
            yield from responses(response, text=self._kind == TEXT)
        finally:
            if response and response.isclosed():
                self._idle.append(connection)
            else:
                connection.close()

    def subscribe(self, callback: Any, try_to_connect: bool | None = None) -> None: ...
    def unsubscribe(self, callback: Any) -> None: ...
    def close(self) -> None:
        for connection in self._idle:
            connection.close()

    def __enter__(self) -> "WebChannel":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def responses(response: http.client.HTTPResponse, *, text: bool) -> Iterator[bytes]:
    """The messages of a response; WebRefusal when the call was refused."""
    assert response.status == 200, (response.status, response.read())
    assert response.headers["content-type"].startswith(TEXT if text else BINARY)
    read = _decoded(response) if text else response.read
    while True:
        flags, size = struct.unpack(">BI", read(5))
        data = read(size)
        if not flags & 0x80:
            yield data
            continue
        lines = (line.split(": ", 1) for line in data.decode().splitlines())
        trailers = {name.lower(): value for name, value in lines}
        assert response.read() == b""
        if trailers["grpc-status"] != "0":
            raise WebRefusal(trailers)
        return


def _decoded(response: http.client.HTTPResponse) -> Callable[[int], bytes]:
    """Read from a body whose parts are each base64 with a padding."""
    decoded = b""

    def read(size: int) -> bytes:
        nonlocal decoded
        while len(decoded) < size:
            decoded += base64.b64decode(response.read(4 * -(-(size - len(decoded)) // 3)))
        data, decoded = decoded[:size], decoded[size:]
        return data

    return read


def _only(responses: Iterator[Any]) -> Any:
    (response,) = responses
    return response
