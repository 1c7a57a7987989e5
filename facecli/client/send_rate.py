"""Rate limiter of an upload, with an adaptive frame size."""

from collections.abc import Callable

from facecli.uploads.upload import FRAME_SIZE

MIN_FRAME_SIZE = 16 * 1024  # bytes
LARGE_FRAME_SIZE = 1024 * 1024  # bytes; 500 MiB take 0.87 s, and 0.92 s in frames of half the size
SLOW_FRAME, FAST_FRAME = 1.0, 0.25  # seconds to send a frame; above it shrinks, below it grows
# Bytes without a slow frame that prove a fast network: more than the buffers on the way to a slow one hold.
FAST_BYTES = 16 * 1024 * 1024
FAST_RATE = 8 * 1024 * 1024  # bytes per second, of these


class SendRateLimiter:
    """Limits sending to `rate` bytes per second, 0 for no limit, and shrinks frames on a slow network.

    A frame should take about a second at most: the server drops a client that is slow to complete a message,
    and the answer to a keepalive ping waits for it. So large frames need a network that has proved fast.
    """

    def __init__(self, rate: int, *, clock: Callable[[], float], sleep: Callable[[float], None]) -> None:
        self.frame_size = min(FRAME_SIZE, max(MIN_FRAME_SIZE, int(rate * FAST_FRAME))) if rate else FRAME_SIZE
        self._max_frame_size = self.frame_size
        self._fast_bytes, self._fast_seconds = 0, 0.0  # sent since the last frame that was not fast
        self._rate = rate
        self._clock = clock
        self._sleep = sleep
        self._free_at = clock()
        self._sent_at: float | None = None
        self._length = 0  # of the frame that is being sent

    def acquire(self, length: int) -> None:
        """Wait until `length` bytes may be sent. Called before each frame, once the previous one was sent."""
        now = self._clock()
        if self._sent_at is not None:
            self._adapt(now - self._sent_at)
        self._length = length
        if self._rate:
            self._free_at = max(self._free_at, now)
            if self._free_at > now:
                self._sleep(self._free_at - now)
            self._free_at += length / self._rate
        self._sent_at = self._clock()

    def _adapt(self, seconds: float) -> None:
        if seconds < FAST_FRAME:
            self._fast_bytes += self._length
            self._fast_seconds += seconds
            self.frame_size = min(self._largest(), self.frame_size * 2)
            return
        self._fast_bytes, self._fast_seconds = 0, 0.0
        if seconds > SLOW_FRAME:
            self.frame_size //= 2
        self.frame_size = min(self._max_frame_size, max(MIN_FRAME_SIZE, self.frame_size))

    def _largest(self) -> int:
        fast = FAST_BYTES <= self._fast_bytes >= FAST_RATE * self._fast_seconds
        return LARGE_FRAME_SIZE if fast and not self._rate else self._max_frame_size
