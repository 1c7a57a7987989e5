"""The gRPC context of an in-process call."""

import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NoReturn

import grpc
from google.protobuf.message import Message

from facecli.rpc.in_process.client import CallClient, CallHeaders, CallStatus

Metadata = Sequence[tuple[str, str | bytes]]


class Aborted(Exception):
    """The method has ended its call with a status."""


class InProcessContext(grpc.ServicerContext):
    """Behaves as the context of a call over HTTP/2 does, as far as our methods and interceptors use it."""

    def __init__(
        self,
        headers: CallHeaders,
        client: CallClient,
        run_in_background: Callable[[Callable[[], None]], object],
    ) -> None:
        """`run_in_background` runs the callbacks of a call that another thread than a method's ends."""
        self._headers = headers
        self._client = client
        self._run_in_background = run_in_background
        self._code: grpc.StatusCode | None = None
        self._details = ""
        self._initial_metadata: Sequence[tuple[str, str]] = ()
        self._trailing_metadata: Metadata = ()
        self._callbacks: list[Callable[[], None]] = []
        self._active = True
        self._lock = threading.Lock()

    def messages(self) -> Iterator[bytes]:
        """The serialized messages of the client."""
        while (message := self._client.receive()) is not None:
            yield message

    def send(self, message: Message | None) -> None:
        """Send a message; None ends the call with the status that was set, or success."""
        if message is None:
            self.end()
        elif self._active:
            self._client.send(message)

    def end(self) -> None:
        """End the call; harmless when it has ended."""
        callbacks = self._deactivated()
        if callbacks is not None:
            self._client.end(self._status(self._code or grpc.StatusCode.OK))
            _run_all(callbacks)

    def disconnect(self) -> None:
        """Note that the client is gone; returns at once. Harmless when the call has ended."""
        callbacks = self._deactivated()
        if callbacks is not None:
            self._client.end(self._status(grpc.StatusCode.CANCELLED))
            if callbacks:
                self._run_in_background(lambda: _run_all(callbacks))

    def cancel(self) -> bool:
        """End the call of a client that does not read."""
        self._client.cut()
        self.disconnect()
        return True

    def is_active(self) -> bool:
        return self._active

    def add_callback(self, callback: Callable[[], None]) -> bool:
        with self._lock:
            if self._active:
                self._callbacks.append(callback)
            return self._active

    def peer(self) -> str:
        return self._headers.peer

    def invocation_metadata(self) -> Any:
        return self._headers.metadata

    def auth_context(self) -> Any:
        return {"x509_common_name": list(self._headers.certificate_names)}

    def code(self) -> Any:
        return self._code

    def set_code(self, code: grpc.StatusCode) -> None:
        self._code = code

    def set_details(self, details: str) -> None:
        self._details = details

    def set_trailing_metadata(self, trailing_metadata: Any) -> None:
        self._trailing_metadata = trailing_metadata or ()

    def send_initial_metadata(self, initial_metadata: Any) -> None:
        self._initial_metadata = initial_metadata

    def abort(self, code: grpc.StatusCode, details: str) -> NoReturn:
        self._code, self._details = code, details
        raise Aborted

    def abort_with_status(self, status: grpc.Status) -> NoReturn:
        self._trailing_metadata = status.trailing_metadata or ()
        self.abort(status.code, status.details)

    def time_remaining(self) -> Any:
        return None  # the transport enforces the deadline of its client

    def peer_identities(self) -> Any:
        return None

    def peer_identity_key(self) -> Any:
        return None

    def set_compression(self, compression: grpc.Compression) -> None: ...

    def disable_next_message_compression(self) -> None: ...

    def _deactivated(self) -> Sequence[Callable[[], None]] | None:
        """The callbacks of a call that ends now; None if it had ended before."""
        with self._lock:
            was_active, self._active = self._active, False
        return self._callbacks if was_active else None

    def _status(self, code: grpc.StatusCode) -> CallStatus:
        return CallStatus.of(code.value[0], self._details, self._trailing_metadata, self._initial_metadata)


def _run_all(callbacks: Sequence[Callable[[], None]]) -> None:
    """In the order in which they were added: from the innermost guard of the call to the outermost."""
    for callback in callbacks:
        callback()
