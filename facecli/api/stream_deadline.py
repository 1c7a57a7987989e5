"""How long a client may keep an upload stream waiting."""

import time
from collections.abc import Callable


class MinRateDeadline:
    """Seconds, expired by waiting for the client, earned by its bytes at the lowest rate; `idle` at least.

    A message arrives whole or not at all, so the next one may take the time that the one before would; the
    first may have `first` bytes. `min_rate` is in bytes a second, 0 for none.
    """

    def __init__(
        self, *, idle: float, min_rate: int, first: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._idle = idle
        self._rate = min_rate
        self._clock = clock
        self._left = max(idle, self._time_for(first))
        self._expected = 0.0
        self._since: float | None = clock()

    def begin(self) -> None:
        """We wait for the client."""
        self._since = self._clock()

    def received(self, length: int) -> None:
        """A message has come, and the client waits for us."""
        now = self._clock()
        waited = now - (self._since if self._since is not None else now)
        self._since = None
        self._expected = length / self._rate if self._rate else 0.0
        most = max(self._idle, self._time_for(length))
        self._left = min(most, self._left - waited + self._time_for(length))

    def expired(self) -> bool:
        since = self._since
        return since is not None and self._clock() - since > self._left

    def idle_seconds(self) -> float:
        """Seconds we have waited beyond what a message like the last takes at the lowest rate."""
        since = self._since
        return 0.0 if since is None else max(0.0, self._clock() - since - self._expected)

    def _time_for(self, length: int) -> float:
        return length / self._rate if self._rate else self._idle
