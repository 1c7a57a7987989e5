"""The end of a streaming call that makes no progress.

Theory of operation. gRPC's deadline limits a whole call, and its keepalive notices a peer that is gone, but a
server that answers pings and nothing else holds a call for ever. The watch runs in a thread of its own,
because the thread of the call is blocked in gRPC, and cancels the call.
"""

import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

MIN_LIMIT = 5.0  # seconds; a busy machine may be silent for shorter times
GRACE = 1.0  # seconds in which a process that was suspended catches up


def stall_limit(retry_for: float, call_timeout: float) -> float:
    """Seconds without progress after which a call ends: `retry_for`, and without retries `call_timeout`."""
    return max(MIN_LIMIT, retry_for) if retry_for else call_timeout


class StallWatch:
    """Calls `end` after `limit` seconds without progress, unless `is_alive` then finds a sign of life."""

    def __init__(
        self, end: Callable[[], object], *, limit: float, is_alive: Callable[[], bool] = lambda: False
    ) -> None:
        self.limit = limit
        self.stalled = False
        self._end = end
        self._is_alive = is_alive
        self._last = time.monotonic()
        self._closed = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._watch, name="stall-watch", daemon=True)

    def progressed(self) -> None:
        """Count the limit from now on."""
        self._last = time.monotonic()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify()

    def _watch(self) -> None:
        while self._passed(self.limit) and self._passed(self.limit, GRACE):
            if self._is_alive():
                self.progressed()
                continue
            if not self._closed:
                self.stalled = True
                self._end()
            return

    def _passed(self, limit: float, grace: float = 0.0) -> bool:
        """Wait until `limit` has passed since the last progress; False when the call has ended before."""
        with self._changed:
            if grace:
                self._changed.wait_for(lambda: self._closed, grace)
            while not self._closed:
                left = self._last + limit - time.monotonic()
                if left <= 0:
                    return True
                self._changed.wait_for(lambda: self._closed, min(left, threading.TIMEOUT_MAX))
            return False
