"""Exponential backoff with jitter, and a retry budget: the one way to wait before another try."""

import random
import time
from collections.abc import Callable

from facecli.core.errors import FacecliError

FIRST_DELAY = 0.2  # seconds
MAX_DELAY = 5.0  # seconds
JITTER = 0.25  # share of a delay by which it is made shorter or longer


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
    """Allows retries, with backoff, until `limit` seconds have passed without progress."""

    def __init__(
        self,
        limit: float,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._limit = limit
        self._clock = clock
        self._sleep = sleep
        self._failing_since: float | None = None
        self._backoff = Backoff()

    @property
    def tried(self) -> bool:
        """Whether there has been a retry since the last progress."""
        return self._failing_since is not None

    def start(self) -> None:
        """Count the limit from now on, not from the first failure."""
        self._failing_since = self._clock()

    def progressed(self) -> None:
        """Reset the limit and the delays after progress."""
        self._failing_since = None
        self._backoff.reset()

    def wait(
        self, error: FacecliError, waiting: Callable[[str, float], None] = lambda reason, seconds: None
    ) -> bool:
        """Wait before the next try, at least as long as the error asks; False when the budget is spent.

        `waiting` is called first, with the reason and the seconds.
        """
        seconds = max(float(error.details.get("retry_after", 0)), self._backoff.next())
        return self._wait(seconds, error, waiting)

    def wait_as_asked(self, error: FacecliError) -> bool:
        """Wait exactly as long as the error asks, without backoff; False when the budget is spent."""
        return self._wait(float(error.details["retry_after"]), error)

    def _wait(
        self,
        seconds: float,
        error: FacecliError,
        waiting: Callable[[str, float], None] = lambda reason, seconds: None,
    ) -> bool:
        now = self._clock()
        self._failing_since = now if self._failing_since is None else self._failing_since
        if now - self._failing_since + seconds >= self._limit:
            return False
        waiting(error.message, seconds)
        self._sleep(seconds)
        return True
