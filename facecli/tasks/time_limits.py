"""How long a swap may take, how often it may be begun, and who says that it has taken too long."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from facecli.core.errors import Cancelled, TimedOut


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptLimits:
    """Seconds for one attempt at a task and one segment (0: unlimited), and the crashes that fail a task."""

    task: float
    segment: float
    max_crashes: int


class Deadline:
    """Passed so many seconds after it was made, or never when that is 0. The message names `setting`."""

    def __init__(
        self, seconds: float, *, what: str, setting: str, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._seconds = seconds
        self._what = what
        self._setting = setting
        self._clock = clock
        self._began = clock()

    def passed(self) -> bool:
        return bool(self._seconds) and self._clock() - self._began > self._seconds

    def check(self) -> None:
        """TimedOut when it has passed."""
        if self.passed():
            raise TimedOut(f"{self._what} took longer than {self._seconds:g} s, which {self._setting} says")


@contextmanager
def within(stopped: Callable[[], bool], *deadlines: Deadline) -> Iterator[Callable[[], bool]]:
    """What says when to stop: `stopped`, or a deadline; TimedOut is then raised in place of Cancelled."""
    try:
        yield lambda: stopped() or any(deadline.passed() for deadline in deadlines)
    except Cancelled:
        for deadline in deadlines:
            deadline.check()
        raise
