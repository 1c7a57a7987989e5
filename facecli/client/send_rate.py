"""Rate limiter of an upload, with an adaptive frame size."""

from collections.abc import Callable

from facecli.uploads.upload import FRAME_SIZE

MIN_FRAME_SIZE = 16 * 1024  # bytes
SLOW_FRAME, FAST_FRAME = 1.0, 0.25  # seconds to send a frame; above it shrinks, below it grows


class SendRateLimiter:
    """Limits sending to `rate` bytes per second, 0 for no limit, and shrinks frames on a slow network.

    A frame should take about a second at most: the server drops a client that is slow to complete a message.
    """

    def __init__(self, rate: int, *, clock: Callable[[], float], sleep: Callable[[float], None]) -> None:
        self.frame_size = min(FRAME_SIZE, max(MIN_FRAME_SIZE, int(rate * FAST_FRAME))) if rate else FRAME_SIZE
        self._max_frame_size = self.frame_size
        self._rate = rate
        self._clock = clock
        self._sleep = sleep
        self._free_at = clock()
        self._sent_at: float | None = None

    def acquire(self, length: int) -> None:
        """Wait until `length` bytes may be sent. Called before each frame, once the previous one was sent."""
        now = self._clock()
        if self._sent_at is not None:
            self._adapt(now - self._sent_at)
        if self._rate:
            self._free_at = max(self._free_at, now)
            if self._free_at > now:
                self._sleep(self._free_at - now)
            self._free_at += length / self._rate
        self._sent_at = self._clock()

    def _adapt(self, seconds: float) -> None:
        if seconds > SLOW_FRAME:
            self.frame_size = max(MIN_FRAME_SIZE, self.frame_size // 2)
        elif seconds < FAST_FRAME:
            self.frame_size = min(self._max_frame_size, self.frame_size * 2)
