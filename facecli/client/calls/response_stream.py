"""The responses of one streaming call, converted where they arrive."""

from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

import grpc

from facecli.client.calls.background import run_in_background
from facecli.client.calls.durations import duration
from facecli.client.calls.stall_watch import StallWatch
from facecli.client.connection import Connection
from facecli.core.errors import Cancelled, FacecliError, Unavailable

T = TypeVar("T")

MAX_IDLE_MESSAGES = 10_000  # messages in a row without progress
CANCEL_SECONDS = 1.0  # that Ctrl-C waits until the call is cancelled
MAX_RATE = 1000  # messages per second, for streams whose messages are few


class ResponseStream(Generic[T]):
    """Iterates over the responses of a call; leaving the context cancels it.

    The consumer reports `progressed`. A call that makes none for `limit` seconds ends with Unavailable unless
    `is_alive`, called in another thread, finds the server alive. One that sends message after message without
    progress, or more than `max_rate` a second, ends with UnexpectedResponse.
    """

    def __init__(
        self,
        call: Any,
        read: Callable[[Any], T],
        *,
        connection: Connection,
        limit: float,
        is_alive: Callable[[], bool] = lambda: False,
        max_rate: int = 0,
    ) -> None:
        self._call = call
        self._read = read
        self._connection = connection
        self._watch = StallWatch(call.cancel, limit=limit, is_alive=is_alive)
        self._max_rate = max_rate
        self._idle_messages = 0
        self._interrupted = False

    def interrupt(self) -> None:
        """End the iteration with Cancelled, from another thread."""
        self._interrupted = True
        self._call.cancel()

    def progressed(self) -> None:
        self._watch.progressed()
        self._idle_messages = 0

    def active(self) -> None:
        """Note a sign of life that does not excuse idle messages."""
        self._watch.progressed()

    def __iter__(self) -> Iterator[T]:
        count, began = 0, self._connection.clock()
        while True:
            with self._connection.translated_errors(self._stall_error):
                message = next(self._call, None)
                if message is None:
                    return
                self._connection.outage.ended()
                converted = self._read(message)
            count += 1
            self._idle_messages += 1
            if self._idle_messages > MAX_IDLE_MESSAGES:
                raise self._connection.unexpected(f"{MAX_IDLE_MESSAGES} messages without progress")
            if self._max_rate and count > self._max_rate * (1 + self._connection.clock() - began):
                raise self._connection.unexpected(f"more than {self._max_rate} messages a second")
            yield converted

    def __enter__(self) -> Self:
        self._watch.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._watch.__exit__(kind, error, trace)
        if isinstance(error, KeyboardInterrupt):  # may have left gRPC a lock that is never released
            run_in_background(self._call.cancel, wait=CANCEL_SECONDS)
        else:
            self._call.cancel()

    def _stall_error(self, error: grpc.RpcError) -> FacecliError | None:
        """The error of a call that this client has cancelled."""
        if self._interrupted:
            return Cancelled()
        if not self._watch.stalled:
            return None
        limit = self._watch.limit
        return Unavailable(
            f"no progress from {self._connection.servers} for {duration(round(limit, 1))}",
            silent_for=int(limit),
        )
