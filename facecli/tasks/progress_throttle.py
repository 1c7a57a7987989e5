"""ProgressThrottle: limits how often progress is reported."""

from collections.abc import Callable


class ProgressThrottle:
    """Passes the first and the last report at once, and others at most once per interval."""

    def __init__(self, interval: float, clock: Callable[[], float]) -> None:
        self._interval = interval  # seconds
        self._clock = clock
        self._done = -1
        self._reported_at = 0.0

    def due(self, done: int, total: int) -> bool:
        """Return whether to report `done` of `total` now; a skipped report is covered by the next one."""
        now = self._clock()
        # A clock that was set back must not suppress reports.
        if done <= self._done or (done < total and 0 <= now - self._reported_at < self._interval):
            return False
        self._done, self._reported_at = done, now
        return True
