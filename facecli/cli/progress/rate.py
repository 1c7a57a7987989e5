"""Rate over the last seconds, and the time left at a rate."""

from collections import deque

WINDOW_SECONDS = 10.0
MIN_SECONDS = 5.0  # of a transfer before its rate tells the time left: the first bytes may come from a cache


def seconds_left(rest: float, *, per_second: float | None, elapsed: float) -> float | None:
    """Seconds for the rest of a transfer, which has taken `elapsed` so far; None while that is not known."""
    return max(0, rest) / per_second if per_second and elapsed >= MIN_SECONDS else None


class WindowRate:
    """Rate of a growing number over the last seconds; None until it has grown."""

    def __init__(self) -> None:
        self._samples = deque[tuple[float, float]]()  # (time, number)

    def add(self, time: float, number: float) -> None:
        self._samples.append((time, number))
        while len(self._samples) > 2 and self._samples[-1][0] - self._samples[0][0] > WINDOW_SECONDS:
            self._samples.popleft()

    def clear(self) -> None:
        self._samples.clear()

    @property
    def last(self) -> float | None:
        """The newest number."""
        return self._samples[-1][1] if self._samples else None

    @property
    def per_second(self) -> float | None:
        if len(self._samples) < 2:
            return None
        (began, first), (ended, last) = self._samples[0], self._samples[-1]
        return (last - first) / (ended - began) if ended > began and last > first else None
