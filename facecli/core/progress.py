"""Progress of a transfer, and of a task."""

from collections.abc import Callable
from typing import Protocol


class TransferProgress(Protocol):
    """Observer of one file's transfer. The stored bytes never decrease, whatever fails on the way."""

    def begin(self, name: str, total: int | None, stored: int) -> None:
        """`stored` of `total` bytes are stored already; `total` is None when it is unknown."""
        ...

    def sent(self, total_sent: int) -> None:
        """Bytes sent to the server, in order: less after a retry, and never to be shown as done."""
        ...

    def stored(self, total_stored: int) -> None: ...

    def waiting(self, reason: str, seconds: float) -> None:
        """The transfer failed and will be retried in so many seconds."""
        ...

    def verified(self) -> None: ...


class NullProgress:
    """Progress that shows nothing."""

    def begin(self, name: str, total: int | None, stored: int) -> None: ...

    def sent(self, total_sent: int) -> None: ...

    def stored(self, total_stored: int) -> None: ...

    def waiting(self, reason: str, seconds: float) -> None: ...

    def verified(self) -> None: ...


class ProgressThrottle:
    """Lets through what is further than before: the first and the last at once, others every so often."""

    def __init__(self, every: float, clock: Callable[[], float]) -> None:
        self._every = every  # seconds
        self._clock = clock
        self._done = -1
        self._told = 0.0

    def due(self, done: int, total: int) -> bool:
        """Whether `done` of `total` is to be told now; what is not is told with the next that is."""
        now = self._clock()
        # A clock that was set back is no reason to fall silent.
        if done <= self._done or (done < total and 0 <= now - self._told < self._every):
            return False
        self._done, self._told = done, now
        return True
