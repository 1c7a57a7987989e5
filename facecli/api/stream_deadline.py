"""The deadline of an upload stream: an idle timeout combined with a minimum rate.

Theory of operation: a client has a time budget. Waiting for its next message spends the budget; a message
that arrives earns the time that its bytes take at the minimum rate. The budget is capped at the idle timeout
or at the time of the last message, whichever is longer, because a message arrives whole or not at all and
the next one may take as long as the last. The first message, whose size is not known, may take the time of
`first` bytes. A byte now and then earns next to nothing, so dripping does not keep a stream open. While
chunks are on their way to a bucket the client may wait for their acknowledgements, which is excused.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamLimits:
    """Idle timeout in seconds, minimum rate in bytes a second; `draining` is set when the server stops."""

    idle: float
    min_rate: int
    draining: threading.Event


class MinRateDeadline:
    """Expires when the client is idle for too long or slower than the minimum rate.

    `idle` is in seconds, `min_rate` in bytes a second (0: none), `first` in bytes.
    """

    def __init__(
        self, *, idle: float, min_rate: int, first: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._idle = idle
        self._min_rate = min_rate
        self._clock = clock
        self._budget = max(idle, self._seconds_for(first))
        self._expected = 0.0  # seconds that a message like the last one takes at the minimum rate
        self._waiting_since: float | None = clock()
        self._excused_until = self._waiting_since

    def begin(self) -> None:
        """Start waiting for the client."""
        self._waiting_since = self._clock()

    def excuse(self) -> None:
        """Count no time so far as waiting; another thread than that of the client calls this."""
        self._excused_until = self._clock()

    def received(self, length: int) -> None:
        """Stop waiting: a message of `length` bytes has arrived, and the client waits for us."""
        now = self._clock()
        since = self._since()
        waited = 0.0 if since is None else max(0.0, now - since)
        self._waiting_since = None
        self._expected = length / self._min_rate if self._min_rate else 0.0
        limit = max(self._idle, self._seconds_for(length))
        self._budget = min(limit, self._budget - waited + self._seconds_for(length))

    def expired(self) -> bool:
        since = self._since()
        return since is not None and self._clock() - since > self._budget

    def remaining(self) -> float:
        """Seconds until it expires, while it waits for the client."""
        since = self._since()
        return self._budget if since is None else self._budget - (self._clock() - since)

    def idle_seconds(self) -> float:
        """Seconds waited beyond what a message like the last one takes at the minimum rate."""
        since = self._since()
        return 0.0 if since is None else max(0.0, self._clock() - since - self._expected)

    def _since(self) -> float | None:
        since = self._waiting_since
        return None if since is None else max(since, self._excused_until)

    def _seconds_for(self, length: int) -> float:
        return length / self._min_rate if self._min_rate else self._idle
