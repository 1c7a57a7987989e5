"""For how long nothing was heard of a thing that has an end, by a clock that nobody sets."""

import threading
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol, TypeVar

GRACE = 3600.0  # seconds; nobody retries for longer without a person who would begin anew


class Expiring(Protocol):
    """An incomplete upload, an ended task; `expires_at` by the clock on the wall."""

    @property
    def id(self) -> str: ...

    @property
    def expires_at(self) -> float: ...


E = TypeVar("E", bound=Expiring)


class IdleTracker:
    """What the clock on the wall says to be over is over only when this process has measured that, too.

    For that clock jumps, and after a start it may be wrong. What is heard here is measured for all of the
    expiry. Of a thing from before its start a process knows no more than the wall: it waits for the grace,
    or the expiry if that is shorter, whether anybody comes.
    """

    def __init__(self, *, expiry: float, monotonic: Callable[[], float]) -> None:
        self._expiry = expiry
        self._monotonic = monotonic
        self._heard: dict[str, float] = {}
        self._seen: dict[str, tuple[float, float]] = {}  # as they expire by the wall, and since when
        self._lock = threading.Lock()

    def touch(self, ids: Iterable[str]) -> None:
        """Somebody still wants these: for an upload, begins, writes or has written it."""
        with self._lock:
            self._heard.update(dict.fromkeys(ids, self._monotonic()))

    def expired(self, overdue: Sequence[E]) -> list[E]:
        """Which of all that are over by the wall are over indeed; to be asked again and again."""
        with self._lock:
            now, ids = self._monotonic(), {each.id for each in overdue}
            recent = now - self._expiry
            self._heard = {key: at for key, at in self._heard.items() if key in ids or at > recent}
            before, self._seen = self._seen, {}
            for each in overdue:
                self._seen[each.id] = (each.expires_at, now)
                if (known := before.get(each.id)) and known[0] == each.expires_at:
                    self._seen[each.id] = known
            return [each for each in overdue if self._is_over(each.id, now)]

    def _is_over(self, thing_id: str, now: float) -> bool:
        if thing_id in self._heard:
            return now - self._heard[thing_id] >= self._expiry
        return now - self._seen[thing_id][1] >= min(self._expiry, GRACE)
