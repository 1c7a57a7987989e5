"""Window of an upload stream: the bound of what a break of the connection costs.

Theory of operation. Bytes that were not acknowledged when a connection breaks are sent again. A chunk is
acknowledged soon after it was sent, so a stream need not stop between two chunks. But while the server waits
for its storage, sending goes on at full speed, and everything sent in vain is sent again when the wait ends
in a break. So the next chunk waits while the oldest unacknowledged one has waited for `SLOW` times as long as
chunks usually do, unless others are acknowledged meanwhile: a store may keep one of many requests waiting. It
waits `MAX_PAUSE` seconds at most: a server ends the stream of a client that is idle.
"""

import threading
import time
from collections.abc import Callable, Hashable

SLOW = 3.0  # times the usual wait for an acknowledgement
MIN_WAIT = 1.0  # seconds that are never slow; a commit of many chunks on a busy disk takes less
QUIET = 0.5  # seconds without any acknowledgement; a server commits ten batches a second
MAX_PAUSE = 5.0  # seconds; the idle timeout of a server is 30 by default
WEIGHT = 0.25  # of the newest wait in the usual one


class SendWindow:
    """The unacknowledged chunks of one stream. One thread sends, another one reads acknowledgements."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._sent_at: dict[Hashable, float] = {}  # unacknowledged chunks, in order
        self._usual = 0.0  # seconds
        self._answered_at = 0.0
        self._closed = False
        self._changed = threading.Condition()

    def wait(self) -> None:
        """Wait before the next chunk until acknowledgements follow."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or not self.is_behind(), MAX_PAUSE)

    def sending_end(self, chunk: Hashable) -> None:
        """Note that the last bytes of a chunk are about to be sent."""
        with self._changed:
            self._sent_at[chunk] = self._clock()

    def acknowledged(self, chunk: Hashable) -> None:
        """Note the acknowledgement of a chunk, in any order."""
        with self._changed:
            if chunk not in self._sent_at:
                return
            self._answered_at = self._clock()
            waited = self._answered_at - self._sent_at.pop(chunk)
            self._usual += (waited - self._usual) * (WEIGHT if self._usual else 1)
            self._changed.notify_all()

    def is_behind(self) -> bool:
        """Whether the oldest unacknowledged chunk has waited for longer than usual, and no other one came."""
        oldest, now = next(iter(self._sent_at.values()), None), self._clock()
        if oldest is None or now - self._answered_at < QUIET:
            return False
        return now - oldest >= max(MIN_WAIT, SLOW * self._usual)

    def close(self) -> None:
        """Let the sending thread go on: the stream has ended."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
