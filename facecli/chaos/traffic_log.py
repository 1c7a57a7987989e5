"""The traffic log of a proxy: bytes that passed each way, how many more may pass, and all events."""

import sys
import time
from collections import deque
from collections.abc import Callable
from threading import Condition

from facecli.chaos.events import Direction, Event, EventKind

MAX_EVENTS = 100_000  # older ones are dropped


class TrafficLog:
    """Counts bytes and records events for all connections of a proxy; thread-safe.

    `on_event` is called with every event, in order.
    """

    def __init__(self, on_event: Callable[[Event], None]) -> None:
        self.events: deque[Event] = deque(maxlen=MAX_EVENTS)
        self._on_event = on_event
        self._started = time.monotonic()
        self._passed = dict.fromkeys(Direction, 0)
        self._reserved = dict.fromkeys(Direction, 0)  # bytes being sent, not yet known to have passed
        self._limits = dict.fromkeys(Direction, sys.maxsize)
        self._changed = Condition()

    def passed(self, direction: Direction) -> int:
        """Bytes that have passed on all connections together."""
        return self._passed[direction]

    def hold(self, direction: Direction, *, after: int) -> None:
        """Let only the first `after` bytes of all connections pass; none if more have passed already."""
        with self._changed:
            self._limits[direction] = after

    def release(self, direction: Direction) -> None:
        """Remove the limit that `hold` set."""
        with self._changed:
            self._limits[direction] = sys.maxsize

    def reserve(self, direction: Direction, wanted: int) -> int:
        """Reserve up to `wanted` bytes; returns how many may pass. `settle` must follow."""
        with self._changed:
            left = self._limits[direction] - self._passed[direction] - self._reserved[direction]
            reserved = max(0, min(wanted, left))
            self._reserved[direction] += reserved
            return reserved

    def settle(self, direction: Direction, *, reserved: int, passed: int) -> None:
        """Return a reservation, of which `passed` bytes were sent."""
        with self._changed:
            self._reserved[direction] -= reserved
            self._passed[direction] += passed
            self._changed.notify_all()

    def record(self, kind: EventKind, connection: int = 0, *, to_server: int = 0, to_client: int = 0) -> None:
        """Record an event and report it."""
        with self._changed:
            event = Event(
                event=kind,
                seconds=round(time.monotonic() - self._started, 6),
                connection=connection,
                to_server=to_server,
                to_client=to_client,
                total_to_server=self._passed[Direction.SERVER],
                total_to_client=self._passed[Direction.CLIENT],
            )
            self.events.append(event)
            self._on_event(event)
            self._changed.notify_all()

    def wait_for(self, condition: Callable[[], bool], timeout: float) -> bool:
        """Wait until the condition holds, checked after every change; False after `timeout` seconds."""
        with self._changed:
            return self._changed.wait_for(condition, timeout)
