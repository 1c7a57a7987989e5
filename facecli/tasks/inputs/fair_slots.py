"""FairSlots: a concurrency limit whose waiters are served in turn, owner by owner."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from facecli.core.errors import Cancelled

POLL_SECONDS = 0.05  # between two looks at a waiter's `stopped`


class FairSlots:
    """At most `limit` holders, and at most `owner_limit` of one owner.

    A free slot goes to the owner who holds the fewest, and among equals to the one who has waited longest,
    so an owner of many waiters cannot starve one of few.
    """

    def __init__(self, limit: int, *, owner_limit: int) -> None:
        self._limit = limit
        self._owner_limit = owner_limit
        self._held = Counter[str]()
        self._waiting: dict[object, str] = {}  # in the order of arrival
        self._changed = threading.Condition()

    @contextmanager
    def acquire(self, owner: str, *, stopped: Callable[[], bool]) -> Iterator[None]:
        """Hold a slot, after waiting for it; Cancelled once `stopped` returns true."""
        ticket = object()
        with self._changed:
            self._waiting[ticket] = owner
            try:
                while self._next() is not ticket:
                    if stopped():
                        raise Cancelled
                    self._changed.wait(POLL_SECONDS)
                self._held[owner] += 1
            finally:
                del self._waiting[ticket]
                self._changed.notify_all()
        try:
            yield
        finally:
            with self._changed:
                self._held[owner] -= 1
                self._held += Counter()  # drop owners without any
                self._changed.notify_all()

    def _next(self) -> object:
        """The waiter whose turn it is, None while there is no slot for any. Needs the lock."""
        if self._held.total() >= self._limit:
            return None
        eligible = [
            (self._held[owner], ticket)
            for ticket, owner in self._waiting.items()
            if self._held[owner] < self._owner_limit
        ]
        return min(eligible, key=lambda each: each[0], default=(0, None))[1]
