"""A queue that measures the wait of its producer and of its items, and gives those first that are ready."""

import queue
from collections.abc import Callable
from concurrent.futures import Future

import pytest

from facecli.api.ready_queue import ReadyQueue
from facecli.uploads.stage_times import QueueTimes


def clock(*seconds: float) -> Callable[[], float]:
    """A clock that shows these times, one after the other."""
    return iter(seconds).__next__


def test_every_item_waits_from_its_entry_until_it_is_taken() -> None:
    times = QueueTimes()
    put_first, put_second = (0.0, 1.0), (1.0, 2.0)
    waiting = ReadyQueue[str](2, times, clock=clock(*put_first, *put_second, 5.0, 10.0))
    waiting.put("first", timeout=0)
    waiting.put("second", timeout=0)
    assert [waiting.get(timeout=0), waiting.get(timeout=0)] == ["first", "second"]
    assert times.queued == (5.0 - 1.0) + (10.0 - 2.0)


def test_a_producer_without_room_is_blocked_even_if_it_gives_up() -> None:
    times = QueueTimes()
    full = ReadyQueue[str](1, times, clock=clock(0.0, 0.5, 3.0, 7.0))
    full.put("first", timeout=0)
    with pytest.raises(queue.Full):
        full.put("second", timeout=0)
    assert times == QueueTimes(blocked=0.5 + (7.0 - 3.0), queued=0.0)


@pytest.mark.parametrize("error", [None, OSError("the bucket is away")], ids=["sent", "failed"])
def test_an_item_that_is_being_sent_lets_others_pass_and_takes_room(error: Exception | None) -> None:
    waiting = ReadyQueue[str](2, QueueTimes(), clock=lambda: 0.0)
    late = Future[None]()
    waiting.put("late", sending=late, timeout=0)
    waiting.put("prompt", timeout=0)
    with pytest.raises(queue.Full):
        waiting.put("without room", timeout=0)
    assert waiting.get(timeout=0) == "prompt"
    with pytest.raises(queue.Empty):
        waiting.get(timeout=0)
    with pytest.raises(queue.Full):
        waiting.put("last", last=True, timeout=0)
    assert not waiting.all_ready()
    if error:
        late.set_exception(error)
    else:
        late.set_result(None)
    assert waiting.all_ready()
    waiting.put("last", last=True, timeout=0)
    assert [waiting.get(timeout=0), waiting.get(timeout=0)] == ["late", "last"]
