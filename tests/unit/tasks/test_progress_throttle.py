"""ProgressThrottle: the rate of progress reports."""

from itertools import pairwise

import pytest

from facecli.tasks.progress_reporter import ProgressThrottle
from tests.support.storage import Clock


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def throttle(clock: Clock) -> ProgressThrottle:
    return ProgressThrottle(0.1, clock)


def test_the_first_and_last_reports_pass_at_once(throttle: ProgressThrottle) -> None:
    assert [throttle.due(done, 4) for done in range(5)] == [True, False, False, False, True]


def test_a_thousand_frames_a_second_give_ten_reports_a_second(
    throttle: ProgressThrottle, clock: Clock
) -> None:
    reported = []
    for frame in range(2000):
        clock.now = frame / 1000
        if throttle.due(frame, 10_000):
            reported.append(clock.now)
    assert 15 <= len(reported) <= 20
    assert all(later - earlier >= 0.1 for earlier, later in pairwise(reported))


def test_a_report_without_progress_is_dropped(throttle: ProgressThrottle, clock: Clock) -> None:
    assert throttle.due(5, 10)
    for _ in range(5):
        clock.now += 1
        assert not throttle.due(5, 10)
        assert not throttle.due(3, 10)
    assert throttle.due(6, 10)


def test_a_clock_set_back_suppresses_no_reports(throttle: ProgressThrottle, clock: Clock) -> None:
    assert throttle.due(1, 10)
    clock.now -= 3600
    assert throttle.due(2, 10)
