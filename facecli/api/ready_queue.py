"""A bounded queue between two stages of an upload; a chunk that is still being sent lets others pass it."""

import queue
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import Generic, TypeVar

from facecli.uploads.stage_times import QueueTimes

T = TypeVar("T")


class ReadyQueue(Generic[T]):
    """For one producer and one consumer. Measures how long the producer and the items wait."""

    def __init__(self, maxsize: int, times: QueueTimes, *, clock: Callable[[], float]) -> None:
        self._maxsize = maxsize
        self._times = times
        self._clock = clock
        self._changed = threading.Condition()
        self._ready = deque[tuple[T, float]]()  # with the time of their `put`
        self._sending = 0  # items that are not ready

    def put(
        self, item: T, *, sending: Future[None] | None = None, last: bool = False, timeout: float
    ) -> None:
        """Add an item, which is ready when the request `sending` has ended; queue.Full without room.

        The `last` item has room once all others are ready.
        """
        began = self._clock()
        with self._changed:
            has_room = self._changed.wait_for(lambda: self._has_room(last), timeout)
            entered = self._clock()
            self._times.blocked += entered - began
            if not has_room:
                raise queue.Full
            self._sending += 1
        if sending is None:
            self._ended(item, entered)
        else:
            sending.add_done_callback(lambda _: self._ended(item, entered))

    def get(self, *, timeout: float) -> T:
        """The item that has been ready for the longest time; queue.Empty when there is none."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._ready, timeout):
                raise queue.Empty
            item, entered = self._ready.popleft()
            self._times.queued += self._clock() - entered
            self._changed.notify_all()
            return item

    def all_ready(self) -> bool:
        """Whether no item is still being sent."""
        with self._changed:
            return not self._sending

    def _has_room(self, last: bool) -> bool:
        return len(self._ready) + self._sending < self._maxsize and not (last and self._sending)

    def _ended(self, item: T, entered: float) -> None:
        with self._changed:
            self._sending -= 1
            self._ready.append((item, entered))
            self._changed.notify_all()
