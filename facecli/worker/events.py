"""Events that a worker sends to the server that started it, so that one page has the metrics of both.

They travel as lines of JSON on the socket that is the worker's standard input, between its pings, which are
empty lines. A worker never waits for its server: what does not fit into the socket is lost. Each event leaves
at once, so a worker that is killed has already told what it did.
"""

import json
import logging
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict

from facecli.core import events
from facecli.core.events import Event

PING = b"\n"
MAX_LINE = 4096  # bytes; a longer one is no event
MAX_TEXT = 200  # characters of a value in an event

_log = logging.getLogger(__name__)

SENT: dict[str, type[Event]] = {
    kind.__name__: kind
    for kind in (
        events.TaskStarted,
        events.FramesSwapped,
        events.TaskCrashed,
        events.TaskRequeued,
        events.TaskEnded,
    )
}


class EventSender:
    """Sends pings and events on a socket. Safe to use from many threads."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._rest = b""  # of a line that did not fit
        self._lock = threading.Lock()

    def ping(self) -> None:
        """ConnectionError once the server is gone."""
        self._send(PING)

    def __call__(self, event: Event) -> None:
        """A listener of the worker's events."""
        if type(event).__name__ in SENT:
            with suppress(ConnectionError):  # the worker is about to end
                self._send(encoded(event))

    def _send(self, line: bytes) -> None:
        with self._lock, suppress(BlockingIOError):  # the server is suspended
            if self._rest:
                self._rest = self._rest[self._connection.send(self._rest, socket.MSG_DONTWAIT) :]
            if not self._rest:
                self._rest = line[self._connection.send(line, socket.MSG_DONTWAIT) :]


class EventReceiver:
    """Publishes the events in the bytes of one worker."""

    def __init__(self, publish: Callable[[Event], None]) -> None:
        self._publish = publish
        self._rest = b""

    def feed(self, data: bytes) -> None:
        *lines, rest = (self._rest + data).split(b"\n")
        self._rest = rest[: MAX_LINE + 1]
        for line in filter(None, lines):
            if event := decoded(line):
                self._publish(event)


def encoded(event: Event) -> bytes:
    """The line of an event."""
    values = {
        name: value[:MAX_TEXT] if isinstance(value, str) else value for name, value in asdict(event).items()
    }
    return json.dumps([type(event).__name__, values]).encode() + b"\n"


def decoded(line: bytes) -> Event | None:
    """The event of a line; None if it is none. An engine may have written to the socket."""
    try:
        kind, values = json.loads(line[:MAX_LINE])
        return SENT[kind](**values)
    except (ValueError, TypeError, KeyError, RecursionError):
        _log.warning("line of a worker is not an event")
        return None
