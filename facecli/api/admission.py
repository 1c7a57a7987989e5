"""Admission control: a concurrency limit with a share per user, and eviction of the longest-idle stream."""

import math
import threading
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from facecli.core.errors import TooManyCalls

MAX_CREATIONS = 64  # CreateTask calls that wait for the check of their files
MAX_PREVIEWS = 2  # each runs an engine in this process
EVICT_IDLE_AFTER = 3.0  # seconds that a stream may be idle when another one needs its slot


def _never_idle() -> float:
    return 0.0


def _do_nothing() -> None:
    pass


class Slot:
    """The right of one call to run. It is `evicted` when its client is idle and another call needs it.

    `idle_seconds` tells for how long the client has kept us waiting. `on_evict` runs in the thread of the
    other call, at once.
    """

    def __init__(
        self,
        user: str,
        idle_seconds: Callable[[], float] = _never_idle,
        on_evict: Callable[[], object] = _do_nothing,
    ) -> None:
        self.user = user
        self.idle_seconds = idle_seconds
        self.on_evict = on_evict
        self.evicted = False


class Admission:
    """Limits the concurrent calls of one kind, and refuses the others at once.

    One user holds at most `share` percent of the slots. When no slot is free, the call whose client has been
    idle longest, and at least `evict_after` seconds, loses its slot to the new one: idle streams cannot
    starve other users.
    """

    def __init__(
        self,
        limit: int,
        kind: str,
        *,
        share: int = 100,
        evict_after: float = float("inf"),
        evict_heaviest: bool = False,
    ) -> None:
        """`kind` names the calls in error messages, in the plural.

        With `evict_heaviest` the user with the most slots loses one, so a burst costs nobody else a slot.
        """
        self.limit = limit
        self._user_limit = max(1, limit * share // 100)
        self._kind = kind
        self._evict_after = evict_after
        self._evict_heaviest = evict_heaviest
        self._held: set[Slot] = set()
        self._evicted = 0  # calls that lost their slot and still run, each in a thread
        self._lock = threading.Lock()

    @property
    def used(self) -> int:
        """The number of slots that calls hold now."""
        return len(self._held)

    @contextmanager
    def acquire(
        self,
        user: str = "",
        *,
        idle_seconds: Callable[[], float] = _never_idle,
        on_evict: Callable[[], object] = _do_nothing,
    ) -> Iterator[Slot]:
        """Hold a slot for this user. Shares do not apply to an empty name, where names are trusted."""
        slot, loser = Slot(user, idle_seconds, on_evict), None
        with self._lock:
            own = [held for held in self._held if held.user == user] if user else []
            if len(own) >= self._user_limit:
                loser = self._evict(own, f"{user} already has {len(own)} {self._kind} in progress, the limit")
            elif len(self._held) >= self.limit:
                refusal = f"this server already has {self.limit} {self._kind} in progress"
                loser = self._evict(self._heaviest() if self._evict_heaviest else self._held, refusal)
            self._held.add(slot)
        try:
            if loser is not None:
                loser.on_evict()
            yield slot
        finally:
            with self._lock:
                self._evicted -= slot.evicted
                self._held.discard(slot)

    def _heaviest(self) -> list[Slot]:
        """The slots of the users that hold the most."""
        counts = Counter(slot.user for slot in self._held)
        most = max(counts.values(), default=0)
        return [slot for slot in self._held if counts[slot.user] == most]

    def _evict(self, candidates: Collection[Slot], refusal: str) -> Slot:
        """Take the slot of the longest-idle candidate; TooManyCalls when none has been idle for long."""
        idlest = max(candidates, key=lambda slot: slot.idle_seconds(), default=None)
        running = len(self._held) + self._evicted
        if idlest is None or idlest.idle_seconds() < self._evict_after or running >= 2 * self.limit:
            raise TooManyCalls(f"{refusal}; try again in a second", retry_after=1)
        idlest.evicted = True
        self._evicted += 1
        self._held.remove(idlest)
        return idlest


@dataclass(frozen=True, slots=True, kw_only=True)
class CallLimits:
    """Concurrent calls of each kind on a server, over all its transports."""

    uploads: int
    watchers: int
    downloads: int
    calls: int  # unary ones
    share: int  # percent of each of these that one user may hold
    idle: float  # seconds that a stream may be idle in any case


@dataclass(frozen=True, slots=True, kw_only=True)
class Admissions:
    """The admission control of a server, one per kind of call; all its transports share them."""

    uploads: Admission
    watchers: Admission
    downloads: Admission
    calls: Admission
    creations: Admission
    previews: Admission


def create_admissions(limits: CallLimits) -> Admissions:
    evict_after = min(EVICT_IDLE_AFTER, limits.idle)

    def admission(limit: int, kind: str, *, evict_after: float = math.inf) -> Admission:
        return Admission(limit, kind, share=limits.share, evict_after=evict_after)

    return Admissions(
        uploads=admission(limits.uploads, "uploads", evict_after=evict_after),
        watchers=admission(limits.watchers, "watchers"),
        downloads=admission(limits.downloads, "downloads", evict_after=evict_after),
        calls=admission(limits.calls, "short calls"),
        creations=admission(MAX_CREATIONS, "tasks being created"),
        previews=admission(MAX_PREVIEWS, "previews"),
    )
