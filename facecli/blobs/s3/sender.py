"""The places for parts on their way to S3, shared by all uploads of a server.

Theory of operation. A part in a place is in memory and is being sent, so the places bound both the memory and
the requests at the same time. A bucket may keep the parts of one upload waiting, which must not keep those of
others. So an upload gets a place only while it holds fewer than are free (dynamic thresholds of shared
buffers): a single one holds half of them, a second one half of the rest, and so on. One that waits gets a
place as soon as one is free that it has a right to.
"""

import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from facecli.core.errors import Unavailable

PLACES = 16  # parts in memory, of 16 MiB at most, each with a request; further ones wait


class PartSender:
    """Sends parts of all blobs of a store, each known by its key."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(PLACES, thread_name_prefix="s3")
        self._changed = threading.Condition()
        self._held = Counter[str]()  # places by blob

    def reserve(self, key: str, cancelled: Callable[[], bool]) -> bool:
        """Wait for a place; False once `cancelled`."""
        with self._changed:
            self._changed.wait_for(lambda: cancelled() or self._has_place(key))
            if cancelled():
                return False
            self._held[key] += 1
            return True

    def free_place(self, key: str) -> None:
        """Give back a place."""
        with self._changed:
            self._held[key] -= 1
            if not self._held[key]:
                del self._held[key]
            self._changed.notify_all()

    def end_waits(self) -> None:
        """Look again whether waits for a place are cancelled."""
        with self._changed:
            self._changed.notify_all()

    def send(self, key: str, request: Callable[[], None]) -> "Future[None]":
        """Send in the background, in a place that was reserved; Unavailable once the process ends."""
        try:
            sent = self._pool.submit(request)
        except RuntimeError as error:
            self.free_place(key)
            raise Unavailable("the server is shutting down; resume this upload when it is back") from error
        sent.add_done_callback(lambda _: self.free_place(key))
        return sent

    def _has_place(self, key: str) -> bool:
        return self._held[key] < PLACES - self._held.total()
