"""A bounded queue between two stages that measures how long its producer and its items wait."""

import queue
from collections import deque
from collections.abc import Callable
from typing import TypeVar

from facecli.uploads.stage_times import QueueTimes

T = TypeVar("T")


class TimedQueue(queue.Queue[T]):
    """For one producer and one consumer."""

    def __init__(self, maxsize: int, times: QueueTimes, *, clock: Callable[[], float]) -> None:
        super().__init__(maxsize)
        self._times = times
        self._clock = clock
        self._began = 0.0  # the put that waits for room
        self._entered = deque[float]()

    def put(self, item: T, block: bool = True, timeout: float | None = None) -> None:
        self._began = self._clock()
        try:
            super().put(item, block, timeout)
        except queue.Full:
            self._times.blocked += self._clock() - self._began
            raise

    # The base class calls these while it holds its lock.

    def _put(self, item: T) -> None:
        super()._put(item)
        now = self._clock()
        self._times.blocked += now - self._began
        self._entered.append(now)

    def _get(self) -> T:
        self._times.queued += self._clock() - self._entered.popleft()
        return super()._get()
