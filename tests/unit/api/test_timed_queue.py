"""A queue that measures the wait of its producer and of its items."""

import queue
from collections.abc import Callable

import pytest

from facecli.api.timed_queue import TimedQueue
from facecli.uploads.stage_times import QueueTimes


def clock(*seconds: float) -> Callable[[], float]:
    """A clock that shows these times, one after the other."""
    return iter(seconds).__next__


def test_every_item_waits_from_its_entry_until_it_is_taken() -> None:
    times = QueueTimes()
    put_first, put_second = (0.0, 1.0), (1.0, 2.0)
    waiting = TimedQueue[str](2, times, clock=clock(*put_first, *put_second, 5.0, 10.0))
    waiting.put("first")
    waiting.put("second")
    assert [waiting.get(), waiting.get()] == ["first", "second"]
    assert times.queued == (5.0 - 1.0) + (10.0 - 2.0)


def test_a_producer_without_room_is_blocked_even_if_it_gives_up() -> None:
    times = QueueTimes()
    full = TimedQueue[str](1, times, clock=clock(0.0, 0.5, 3.0, 7.0))
    full.put("first")
    with pytest.raises(queue.Full):
        full.put("second", timeout=0)
    assert times == QueueTimes(blocked=0.5 + (7.0 - 3.0), queued=0.0)
