"""Expiry by the wall clock, confirmed by idle time on the monotonic clock.

Theory of operation. The wall clock jumps, and may be wrong after a start. A record that is overdue by the
wall clock therefore expires only when this process has measured it to be idle. A record touched in this
process has to be idle for the whole expiry. For a record last used before this process started only the
wall clock is known, so the process waits for `GRACE`, or the expiry if shorter, after first seeing it.
"""

import threading
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol, TypeVar

GRACE = 3600.0  # seconds; no client retries for longer unattended


class Expiring(Protocol):
    """A record that expires; `expires_at` is by the wall clock."""

    @property
    def id(self) -> str: ...

    @property
    def expires_at(self) -> float: ...


E = TypeVar("E", bound=Expiring)


class IdleTracker:
    """Tracks idle time on the monotonic clock, so that a jump of the wall clock expires nothing."""

    def __init__(self, *, expiry: float, monotonic: Callable[[], float]) -> None:
        self._expiry = expiry
        self._monotonic = monotonic
        self._touched: dict[str, float] = {}
        self._overdue: dict[str, tuple[float, float]] = {}  # wall-clock expiry, and when first seen overdue
        self._lock = threading.Lock()

    def touch(self, ids: Iterable[str]) -> None:
        """Restart the idle time of these records."""
        with self._lock:
            self._touched.update(dict.fromkeys(ids, self._monotonic()))

    def expired(self, overdue: Sequence[E]) -> list[E]:
        """Those of all overdue records that are idle too. Call it periodically."""
        with self._lock:
            now, ids = self._monotonic(), {each.id for each in overdue}
            recent = now - self._expiry
            self._touched = {key: at for key, at in self._touched.items() if key in ids or at > recent}
            before, self._overdue = self._overdue, {}
            for each in overdue:
                self._overdue[each.id] = (each.expires_at, now)
                if (known := before.get(each.id)) and known[0] == each.expires_at:
                    self._overdue[each.id] = known
            return [each for each in overdue if self._is_idle(each.id, now)]

    def _is_idle(self, record_id: str, now: float) -> bool:
        if record_id in self._touched:
            return now - self._touched[record_id] >= self._expiry
        return now - self._overdue[record_id][1] >= min(self._expiry, GRACE)


class ExpiryClock:
    """The wall clock of records that expire `expiry` seconds after they were last used."""

    def __init__(self, *, wall: Callable[[], float], monotonic: Callable[[], float], expiry: float) -> None:
        self._wall = wall
        self._expiry = expiry
        self._idle_tracker = IdleTracker(expiry=expiry, monotonic=monotonic)

    def now(self) -> float:
        return self._wall()

    def expires_at(self, now: float) -> float:
        """The expiry of a record that is used `now`."""
        return now + self._expiry

    def touch(self, ids: Iterable[str]) -> None:
        """Restart the idle time of these records."""
        self._idle_tracker.touch(ids)

    def expired(self, overdue: Sequence[E]) -> list[E]:
        """Those of all records overdue by the wall clock that are idle too."""
        return self._idle_tracker.expired(overdue)
