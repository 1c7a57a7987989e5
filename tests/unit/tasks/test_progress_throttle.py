"""How often progress is told."""

from itertools import pairwise

import pytest

from facecli.tasks.progress_throttle import ProgressThrottle
from tests.support.storage import Clock


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def pace(clock: Clock) -> ProgressThrottle:
    return ProgressThrottle(0.1, clock)


def test_the_first_and_the_last_are_told_at_once(pace: ProgressThrottle) -> None:
    assert [pace.due(done, 4) for done in range(5)] == [True, False, False, False, True]


def test_a_thousand_frames_a_second_are_told_ten_times(pace: ProgressThrottle, clock: Clock) -> None:
    told = []
    for frame in range(2000):
        clock.now = frame / 1000
        if pace.due(frame, 10_000):
            told.append(clock.now)
    assert 15 <= len(told) <= 20
    assert all(later - earlier >= 0.1 for earlier, later in pairwise(told))


def test_what_is_not_further_is_not_told(pace: ProgressThrottle, clock: Clock) -> None:
    assert pace.due(5, 10)
    for _ in range(5):
        clock.now += 1
        assert not pace.due(5, 10)
        assert not pace.due(3, 10)
    assert pace.due(6, 10)


def test_a_clock_that_is_set_back_silences_nothing(pace: ProgressThrottle, clock: Clock) -> None:
    assert pace.due(1, 10)
    clock.now -= 3600
    assert pace.due(2, 10)
