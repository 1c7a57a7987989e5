"""How fast bytes may leave, and how many of them travel in one message."""

from collections.abc import Callable

from facecli.uploads.upload import FRAME_SIZE

SMALLEST_FRAME = 16 * 1024  # bytes
SLOW, QUICK = 1.0, 0.25  # seconds that a frame takes to leave


class SendRateLimiter:
    """Keeps to `rate` bytes a second, 0 for no limit; makes frames smaller on a slow line.

    A frame shall take no longer than a second or so to leave: the server counts a client that brings no whole
    message for long as gone.
    """

    def __init__(
        self, rate: int, *, clock: Callable[[], float], sleep: Callable[[float], None], wait: float = QUICK
    ) -> None:
        self.frame_size = min(FRAME_SIZE, max(SMALLEST_FRAME, int(rate * wait))) if rate else FRAME_SIZE
        self._largest = self.frame_size
        self._rate = rate
        self._clock = clock
        self._sleep = sleep
        self._free_at = clock()
        self._left_at: float | None = None

    def acquire(self, length: int) -> None:
        """Wait until so many bytes may leave; called before each frame, when the one before has left."""
        now = self._clock()
        if self._left_at is not None:
            self._adapt(now - self._left_at)
        if self._rate:
            self._free_at = max(self._free_at, now)
            if self._free_at > now:
                self._sleep(self._free_at - now)
            self._free_at += length / self._rate
        self._left_at = self._clock()

    def _adapt(self, seconds: float) -> None:
        if seconds > SLOW:
            self.frame_size = max(SMALLEST_FRAME, self.frame_size // 2)
        elif seconds < QUICK:
            self.frame_size = min(self._largest, self.frame_size * 2)
