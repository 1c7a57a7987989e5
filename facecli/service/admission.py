"""How many long calls of one kind a server holds at once."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from facecli.core.errors import TooManyCalls


class Admission:
    """Refuses what is over the limit at once, so that short calls always find a thread."""

    def __init__(self, limit: int, what: str) -> None:
        self.limit = limit
        self._what = what
        self._held = 0
        self._lock = threading.Lock()

    @contextmanager
    def place(self) -> Iterator[None]:
        with self._lock:
            if self._held >= self.limit:
                raise TooManyCalls(
                    f"this server holds {self.limit} {self._what} at once; try again in a second",
                    retry_after=1,
                )
            self._held += 1
        try:
            yield
        finally:
            with self._lock:
                self._held -= 1
