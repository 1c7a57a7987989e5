"""Deadlines: work that takes too long is stopped, and the error names the setting."""

import pytest

from facecli.core.errors import Cancelled, TimedOut
from facecli.tasks.time_limits import Deadline, within
from tests.support.storage import Clock


def deadline(clock: Clock, seconds: float, setting: str = "task_timeout") -> Deadline:
    return Deadline(seconds, subject="it", setting=setting, clock=clock)


def test_a_passed_deadline_stops_the_work_and_names_its_setting() -> None:
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


def test_a_cancel_before_the_deadline_stays_a_cancel() -> None:
    with pytest.raises(Cancelled), within(lambda: True, deadline(Clock(), 5)) as stopped:
        assert stopped()
        raise Cancelled


def test_work_finished_after_the_deadline_counts() -> None:
    clock = Clock()
    with within(lambda: False, deadline(clock, 5)):
        clock.now += 6


def test_0_is_no_deadline() -> None:
    clock = Clock()
    unlimited = deadline(clock, 0)
    clock.now += 10**9
    assert not unlimited.passed()
