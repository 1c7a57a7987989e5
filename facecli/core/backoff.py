"""Exponential backoff with jitter, and a retry budget: the one way to wait before another try."""

import random
import time
from collections.abc import Callable

from facecli.core.errors import FacecliError

FIRST_DELAY = 0.2  # seconds
MAX_DELAY = 5.0  # seconds
JITTER = 0.25  # share of a delay by which it is made shorter or longer

Waiting = Callable[[str, float], None]  # called before a wait, with its reason and its seconds


class Backoff:
    """Delays in seconds that double up to a ceiling, each with jitter."""

    def __init__(
        self, *, first: float = FIRST_DELAY, ceiling: float = MAX_DELAY, jitter: float = JITTER
    ) -> None:
        self._first = first
        self._ceiling = ceiling
        self._jitter = jitter
        self._delay = first

    def next(self) -> float:
        """Seconds to wait before the next try."""
        delay = self._delay * random.uniform(1 - self._jitter, 1 + self._jitter)
        self._delay = min(self._ceiling, self._delay * 2)
        return delay

    def reset(self) -> None:
        self._delay = self._first


class RetryBudget:
    """Allows retries, with backoff, until `limit` seconds have passed without progress.

    `announce` is called before every wait, with the error, the limit, and whether it is the first one since
    the last progress.
    """

    def __init__(
        self,
        limit: float,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        announce: Callable[[FacecliError, float, bool], None] = lambda error, limit, first: None,
    ) -> None:
        self._limit = limit
        self._clock = clock
        self._sleep = sleep
        self._announce = announce
        self._failing_since: float | None = None
        self._waits = 0  # since the last progress
        self._backoff = Backoff()

    @property
    def tried(self) -> bool:
        """Whether there has been a retry since the last progress."""
        return self._waits > 0

    def start(self, since: float | None = None) -> None:
        """Count the limit from `since`, by default from now on, and not from the first failure."""
        self._failing_since = self._clock() if since is None else since

    def progressed(self) -> None:
        """Reset the limit and the delays after progress."""
        self._failing_since = None
        self._waits = 0
        self._backoff.reset()

    def wait(self, error: FacecliError, waiting: Waiting = lambda reason, seconds: None) -> bool:
        """Wait before the next try, at least as long as the error asks; False when the budget is spent.

        `waiting` is called first, with the reason and the seconds.
        """
        seconds = max(float(error.details.get("retry_after", 0)), self._backoff.next())
        return self._wait(seconds, error, waiting)

    def wait_as_asked(self, error: FacecliError) -> bool:
        """Wait exactly as long as the error asks, without backoff; False when the budget is spent."""
        return self._wait(float(error.details["retry_after"]), error, lambda reason, seconds: None)

    def _wait(self, seconds: float, error: FacecliError, waiting: Waiting) -> bool:
        now = self._clock()
        began = now - float(error.details.get("silent_for", 0))
        self._failing_since = began if self._failing_since is None else min(self._failing_since, began)
        if now - self._failing_since + seconds >= self._limit:
            return False
        self._announce(error, self._limit, not self.tried)
        self._waits += 1
        waiting(error.message, seconds)
        self._sleep(seconds)
        return True
