"""How many calls of one kind a server holds at once, and how many of them for one user."""

import threading
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager

from facecli.core.errors import TooManyCalls


class Slot:
    """What a call holds. It is `lost` to another one when its client says nothing and no slot is free."""

    def __init__(self, user: str) -> None:
        self.user = user
        self.idle_seconds: Callable[[], float] = lambda: (
            0.0
        )  # seconds for which the client has kept us waiting
        self.evicted = False


class Admission:
    """Refuses what is over the limit at once, so that short calls always find a thread.

    One user holds `share` percent of the slots at most. When every slot is held, the one whose client has
    been silent longest, `patience` seconds at least, goes to who asks: streams that are opened and never used
    keep nobody out.
    """

    def __init__(self, limit: int, what: str, *, share: int = 100, patience: float = float("inf")) -> None:
        self.limit = limit
        self._most_of_one = max(1, limit * share // 100)
        self._what = what
        self._patience = patience
        self._held: set[Slot] = set()
        self._leaving = 0  # calls that lost their slot and have not ended yet; each still has a thread
        self._lock = threading.Lock()

    @contextmanager
    def acquire(self, user: str = "") -> Iterator[Slot]:
        """For a call of this user; of nobody's, where names are only believed."""
        slot = Slot(user)
        with self._lock:
            own = [held for held in self._held if held.user == user] if user else []
            if len(own) >= self._most_of_one:
                self._make_room(own, f"this server holds {len(own)} {self._what} of {user}")
            elif len(self._held) >= self.limit:
                self._make_room(self._held, f"this server holds {self.limit} {self._what}")
            self._held.add(slot)
        try:
            yield slot
        finally:
            with self._lock:
                self._leaving -= slot.evicted
                self._held.discard(slot)

    def _make_room(self, among: Collection[Slot], full: str) -> None:
        silent = max(among, key=lambda slot: slot.idle_seconds(), default=None)
        if silent is None or silent.idle_seconds() < self._patience or self._leaving >= self.limit:
            raise TooManyCalls(f"{full} at once; try again in a second", retry_after=1)
        silent.evicted = True
        self._leaving += 1
        self._held.remove(silent)
