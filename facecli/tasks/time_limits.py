"""Limits of an attempt at a task, and Deadline, which enforces those on time."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from facecli.core.errors import Cancelled, TimedOut


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptLimits:
    """Seconds per attempt and per segment (0: unlimited), and the crashes in a row that fail a task.

    `stored` are the bytes that uploads and results of a user may take, 0 for any.
    """

    task: float
    segment: float
    max_crashes: int
    stored: int = 0


class Deadline:
    """A deadline `seconds` from now, or none for 0. Its error names the `setting`."""

    def __init__(
        self, seconds: float, *, subject: str, setting: str, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._seconds = seconds
        self._subject = subject
        self._setting = setting
        self._clock = clock
        self._started_at = clock()

    def passed(self) -> bool:
        return bool(self._seconds) and self._clock() - self._started_at > self._seconds

    def check(self) -> None:
        """Raise TimedOut if the deadline has passed."""
        if self.passed():
            raise TimedOut(f"{self._subject} took longer than {self._seconds:g} s, the {self._setting}")


@contextmanager
def within(stopped: Callable[[], bool], *deadlines: Deadline) -> Iterator[Callable[[], bool]]:
    """Add deadlines to a stop signal: yields the combined one, and turns its Cancelled into TimedOut."""
    try:
        yield lambda: stopped() or any(deadline.passed() for deadline in deadlines)
    except Cancelled:
        for deadline in deadlines:
            deadline.check()
        raise
