"""A log of the calls that a client makes: method, outcome and time of each."""

import time
from collections.abc import Callable
from typing import Any

import grpc

Line = Callable[[str], None]


class CallLog(
    grpc.UnaryUnaryClientInterceptor, grpc.UnaryStreamClientInterceptor, grpc.StreamStreamClientInterceptor
):
    """Writes a line for every call when it has ended."""

    def __init__(self, write: Line) -> None:
        self._write = write

    def intercept_unary_unary(self, continuation: Any, details: Any, request: Any) -> Any:
        return self._logged(continuation, details, request)

    def intercept_unary_stream(self, continuation: Any, details: Any, request: Any) -> Any:
        return self._logged(continuation, details, request)

    def intercept_stream_stream(self, continuation: Any, details: Any, requests: Any) -> Any:
        return self._logged(continuation, details, requests)

    def _logged(self, continuation: Any, details: Any, request: Any) -> Any:
        began = time.monotonic()
        call = continuation(details, request)

        def ended(finished: Any) -> None:
            self._write(
                f"call {_name(details.method)} {finished.code().name} {time.monotonic() - began:.3f} s"
            )

        call.add_done_callback(ended)
        return call


def logged(channel: grpc.Channel, write: Line | None) -> grpc.Channel:
    """The channel, whose calls are logged if there is something to write them with."""
    return grpc.intercept_channel(channel, CallLog(write)) if write else channel


def _name(method: str | bytes) -> str:
    text = method.decode() if isinstance(method, bytes) else method
    return text.removeprefix("/video.")
