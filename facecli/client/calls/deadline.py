"""The time limit of a whole command, its --timeout, or of one call of the library."""

import time
from collections.abc import Callable

from facecli.client.calls.durations import duration
from facecli.core.errors import TimedOut


class CommandDeadline:
    """Ends `seconds` after its creation; None never ends."""

    def __init__(
        self,
        seconds: float | None,
        *,
        clock: Callable[[], float] = time.monotonic,
        limited: str = "the command",
    ) -> None:
        self.seconds = seconds
        self._limited_name = limited
        self._clock = clock
        self._end = None if seconds is None else clock() + seconds

    @property
    def passed(self) -> bool:
        return self._end is not None and self._clock() >= self._end

    def left(self) -> float | None:
        """The seconds left, None if there is no limit; TimedOut when none are."""
        if self.passed:
            raise self.error()
        return None if self._end is None else self._end - self._clock()

    def limited(self, seconds: float) -> float:
        """`seconds`, or fewer if fewer are left; TimedOut when none are."""
        left = self.left()
        return seconds if left is None else min(seconds, left)

    def error(self, unfinished: str = "", consequence: str = "") -> TimedOut:
        """The error of a passed deadline: what had not ended, and what becomes of it."""
        suffix = f"; {consequence}" if consequence else ""
        unfinished = unfinished or self._limited_name
        return TimedOut(f"{unfinished} had not ended after {duration(self.seconds or 0)}{suffix}")
