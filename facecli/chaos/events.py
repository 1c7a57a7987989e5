"""What a proxy did: bytes that passed each way, how many more may, and every event."""

import sys
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from threading import Condition

MOST_EVENTS = 100_000  # the oldest are forgotten


class Direction(StrEnum):
    """The two ways of a line."""

    SERVER = "server"
    CLIENT = "client"


class EventKind(StrEnum):
    OPENED = "opened"
    CLOSED = "closed"
    CUT = "cut"
    BLACKHOLE = "blackhole"
    FLIP = "flip"
    DOWN = "down"
    UP = "up"
    UNREACHABLE = "unreachable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """`to_server` and `to_client` are the bytes that had passed on this connection, `total_…` on all of them.

    `connection` counts from 1 and is 0 where there is none; `seconds` count from when the proxy was made.
    """

    event: EventKind
    seconds: float
    connection: int
    to_server: int
    to_client: int
    total_to_server: int
    total_to_client: int


class Record:
    """Shared by all connections of a proxy. `told` hears every event at once, in their order."""

    def __init__(self, told: Callable[[Event], None]) -> None:
        self.events: deque[Event] = deque(maxlen=MOST_EVENTS)
        self._told = told
        self._since = time.monotonic()
        self._passed = dict.fromkeys(Direction, 0)
        self._taken = dict.fromkeys(Direction, 0)  # of these it is not known yet whether they passed
        self._bound = dict.fromkeys(Direction, sys.maxsize)
        self._changed = Condition()

    def passed(self, toward: Direction) -> int:
        """Bytes of all connections."""
        return self._passed[toward]

    def hold(self, toward: Direction, *, after: int) -> None:
        """Let no more than the first `after` bytes of all connections pass, or nothing when more have."""
        with self._changed:
            self._bound[toward] = after

    def release(self, toward: Direction) -> None:
        with self._changed:
            self._bound[toward] = sys.maxsize

    def take(self, toward: Direction, wanted: int) -> int:
        """How many of the bytes that are wanted may pass; `settle` tells how many did."""
        with self._changed:
            left = self._bound[toward] - self._passed[toward] - self._taken[toward]
            taken = max(0, min(wanted, left))
            self._taken[toward] += taken
            return taken

    def settle(self, toward: Direction, *, taken: int, passed: int) -> None:
        with self._changed:
            self._taken[toward] -= taken
            self._passed[toward] += passed
            self._changed.notify_all()

    def happened(
        self, what: EventKind, connection: int = 0, *, to_server: int = 0, to_client: int = 0
    ) -> None:
        with self._changed:
            event = Event(
                event=what,
                seconds=round(time.monotonic() - self._since, 6),
                connection=connection,
                to_server=to_server,
                to_client=to_client,
                total_to_server=self._passed[Direction.SERVER],
                total_to_client=self._passed[Direction.CLIENT],
            )
            self.events.append(event)
            self._told(event)
            self._changed.notify_all()

    def wait_for(self, condition: Callable[[], bool], timeout: float) -> bool:
        """Until the condition holds, looked at after every change; False when the time is up."""
        with self._changed:
            return self._changed.wait_for(condition, timeout)
