"""Admission control: a concurrency limit with a share per user, and eviction of the longest-idle stream."""

import threading
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager

from facecli.core.errors import TooManyCalls


def _never_idle() -> float:
    return 0.0


class Slot:
    """The right of one call to run. It is `evicted` when its client is idle and another call needs it."""

    def __init__(self, user: str) -> None:
        self.user = user
        self.idle_seconds: Callable[[], float] = _never_idle  # for which the client has kept us waiting
        self.evicted = False


class Admission:
    """Limits the concurrent calls of one kind, and refuses the others at once.

    One user holds at most `share` percent of the slots. When no slot is free, the call whose client has been
    idle longest, and at least `evict_after` seconds, loses its slot to the new one: idle streams cannot
    starve other users.
    """

    def __init__(self, limit: int, kind: str, *, share: int = 100, evict_after: float = float("inf")) -> None:
        """`kind` names the calls in error messages, in the plural."""
        self.limit = limit
        self._user_limit = max(1, limit * share // 100)
        self._kind = kind
        self._evict_after = evict_after
        self._held: set[Slot] = set()
        self._evicted = 0  # calls that lost their slot and still run, each in a thread
        self._lock = threading.Lock()

    @contextmanager
    def acquire(self, user: str = "") -> Iterator[Slot]:
        """Hold a slot for this user. Shares do not apply to an empty name, where names are trusted."""
        slot = Slot(user)
        with self._lock:
            own = [held for held in self._held if held.user == user] if user else []
            if len(own) >= self._user_limit:
                self._evict(own, f"{user} already has {len(own)} {self._kind} in progress, the limit")
            elif len(self._held) >= self.limit:
                self._evict(self._held, f"this server already has {self.limit} {self._kind} in progress")
            self._held.add(slot)
        try:
            yield slot
        finally:
            with self._lock:
                self._evicted -= slot.evicted
                self._held.discard(slot)

    def _evict(self, candidates: Collection[Slot], refusal: str) -> None:
        """Take the slot of the longest-idle candidate; TooManyCalls when none has been idle for long."""
        idlest = max(candidates, key=lambda slot: slot.idle_seconds(), default=None)
        if idlest is None or idlest.idle_seconds() < self._evict_after or self._evicted >= self.limit:
            raise TooManyCalls(f"{refusal}; try again in a second", retry_after=1)
        idlest.evicted = True
        self._evicted += 1
        self._held.remove(idlest)
