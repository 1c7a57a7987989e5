"""What takes too long is stopped, and the error says whose limit it was."""

import pytest

from facecli.core.errors import Cancelled, TimedOut
from facecli.tasks.time_limits import Deadline, within
from tests.support.storage import Clock


def deadline(clock: Clock, seconds: float, setting: str = "task_timeout") -> Deadline:
    return Deadline(seconds, subject="it", setting=setting, clock=clock)


def test_work_is_told_to_stop_when_its_time_is_over_and_it_is_said_why() -> None:
    clock = Clock()
    long, short = deadline(clock, 60), deadline(clock, 5, "segment_timeout")
    with (
        pytest.raises(TimedOut, match="it took longer than 5 s, the segment_timeout"),
        within(lambda: False, long, short) as stopped,
    ):
        clock.now += 5
        assert not stopped()
        clock.now += 1
        assert stopped()
        raise Cancelled


def test_a_cancel_in_time_stays_one() -> None:
    with pytest.raises(Cancelled), within(lambda: True, deadline(Clock(), 5)) as stopped:
        assert stopped()
        raise Cancelled


def test_what_is_done_though_late_is_done() -> None:
    clock = Clock()
    with within(lambda: False, deadline(clock, 5)):
        clock.now += 6


def test_0_is_no_limit() -> None:
    clock = Clock()
    unlimited = deadline(clock, 0)
    clock.now += 10**9
    assert not unlimited.passed()
