"""Calls that wait for their client: to send its first message, or to take the answer.

Theory of operation: gRPC gives a call a thread when its headers arrive. A client that then sends no message,
or leaves no room for the answer (flow control), blocks that thread. So every such wait holds a slot of an
admission control of its own. A new wait finds a slot, because it evicts the longest one of the caller that
has the most; only while as many evicted calls have not ended yet, on a busy machine, it is refused and the
client retries. The message of a regular client is there milliseconds after its headers, so only silent
clients wait long enough to be evicted, and the number of blocked threads is bounded.

The thread of a wait is blocked inside gRPC, so another thread ends the call, which unblocks it: that of the
wait that takes its slot, or the one that runs `recheck` when the client was idle for too long, its token was
revoked, or the server drains. `_Wait` decides whether the client or such a thread came first.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import grpc

from facecli.api.admission import Admission
from facecli.api.upload_pipeline import ConnectionLost
from facecli.core.auth import RECHECK_SECONDS
from facecli.core.errors import FacecliError, IdleTooLong, TooManyCalls, Unauthenticated, Unavailable
from facecli.rpc.calls import Calls
from facecli.rpc.request_stream import RequestStream
from facecli.uploads.upload import FRAME_SIZE

FIRST_MESSAGE_SECONDS = 10.0  # that a client may take for a message at least, on whatever line


class CallEnded(Exception):
    """Another thread has ended the call, with its status."""


class _Wait:
    """A wait of at most `limit` seconds. Either the client ends it, or a thread that ends the call does.

    Without `end`, which sends a status, the call is cancelled: a status would queue behind the answer.
    `check_token` raises Unauthenticated once the caller's token is revoked or expired.
    """

    def __init__(
        self,
        *,
        limit: float,
        cancel: Callable[[], object],
        end: Callable[[FacecliError], object] | None = None,
        check_token: Callable[[], object] = bool,
    ) -> None:
        self._limit = limit
        self._end = end
        self._cancel = cancel
        self._check_token = check_token
        self._started = time.monotonic()
        self._over = False
        self._ended_at: float | None = None
        self._lock = threading.Lock()

    def seconds(self) -> float:
        return time.monotonic() - self._started

    def finish(self) -> bool:
        """Whether the client did its part before the call was ended."""
        with self._lock:
            was_waiting, self._over = not self._over, True
        return was_waiting

    def end(self, error: FacecliError) -> None:
        """End the call, unless the client did its part first."""
        if self.finish():
            if self._end:
                self._end(error)
            else:
                self._cancel()
            self._ended_at = time.monotonic()

    def drain(self) -> None:
        """End the call when its message has not come yet; a running call gets to send its answer."""
        if self._end:
            self.end(Unavailable("the server is shutting down; call again when it is back"))

    def evict(self) -> None:
        self.end(IdleTooLong("no message arrived, and another call needed the slot; send it with the call"))

    def check(self) -> None:
        """End the call of an idle client, and cancel one whose client does not take its status either."""
        if self._ended_at is not None:
            if time.monotonic() - self._ended_at > RECHECK_SECONDS:
                self._cancel()
        elif self.seconds() > self._limit:
            self.end(IdleTooLong(f"no message arrived for {self._limit:.0f} s"))
        else:
            try:
                self._check_token()
            except Unauthenticated as error:
                self.end(error)


class ClientWaits:
    """The waits of one admission control. `idle` is in seconds, `min_rate` in bytes a second, 0 for none."""

    def __init__(self, admission: Admission, *, calls: Calls, idle: float, min_rate: int) -> None:
        self._admission = admission
        self._calls = calls
        self._idle = idle
        self._min_rate = min_rate
        self._waits = set[_Wait]()
        self._draining = threading.Event()

    @property
    def max_threads(self) -> int:
        """Waits, and as many evicted ones whose threads have not noticed yet."""
        return 2 * self._admission.limit

    def first_message(
        self, stream: RequestStream, context: grpc.ServicerContext, *, largest: int
    ) -> bytes | None:
        """Wait for the first message, of at most `largest` bytes; None when the client sends none.

        CallEnded when the client was idle for too long. Unauthenticated when its token was revoked meanwhile.
        """
        call = self._calls.of(context)
        # Where names are trusted, and for anonymous callers, each connection has a share; behind a trusted
        # proxy, each client address.
        stream.holder = call.proven_user or call.peer

        def end(error: FacecliError) -> None:
            call.refuse(error)
            stream.end(error, request_id=call.request_id)

        wait = _Wait(
            limit=max(self._idle, FIRST_MESSAGE_SECONDS, self._seconds_for(largest)),
            end=end,
            cancel=context.cancel,
            check_token=call.active if call.proven_user else bool,
        )
        with self._held(wait, stream):
            try:
                message = next(stream, None)
            except ConnectionLost:
                if wait.finish():
                    raise
                raise CallEnded from None
            if not wait.finish():
                raise CallEnded
        if call.proven_user and wait.seconds() > RECHECK_SECONDS:
            call.active()
        return message

    def answer(self, stream: RequestStream, context: grpc.ServicerContext, response: Any) -> None:
        """Send the only response of a call; a client that does not take it loses the call."""
        try:
            with self._held(self._sending(context), stream):
                stream.send(response)
        except TooManyCalls:
            context.cancel()

    def send(self, stream: RequestStream, context: grpc.ServicerContext, response: Any) -> None:
        """Send a response of a stream, which has a slot of its own."""
        with self._registered(self._sending(context)):
            stream.send(response)

    def recheck(self) -> None:
        """End the calls of idle clients, and of clients whose token is revoked or expired."""
        for wait in tuple(self._waits):
            # While the database is away, tokens stay valid; the next recheck reads them again.
            with suppress(Unavailable):
                wait.check()

    def drain(self) -> None:
        """End every wait, so that the server can stop."""
        self._draining.set()
        for wait in tuple(self._waits):
            wait.drain()

    def _sending(self, context: grpc.ServicerContext) -> _Wait:
        limit = self._idle + self._seconds_for(FRAME_SIZE)
        return _Wait(limit=limit, cancel=context.cancel)

    def _seconds_for(self, size: int) -> float:
        return size / self._min_rate if self._min_rate else 0.0

    @contextmanager
    def _held(self, wait: _Wait, stream: RequestStream) -> Iterator[None]:
        """Hold a slot for a wait."""
        slot = self._admission.acquire(stream.holder, idle_seconds=wait.seconds, on_evict=wait.evict)
        with slot, self._registered(wait):
            yield

    @contextmanager
    def _registered(self, wait: _Wait) -> Iterator[None]:
        self._waits.add(wait)
        try:
            if self._draining.is_set():
                wait.drain()
            yield
        finally:
            self._waits.remove(wait)
