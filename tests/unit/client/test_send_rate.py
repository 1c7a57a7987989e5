"""How fast frames leave, in a time that is told."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facecli.client.send_rate import MIN_FRAME_SIZE, SendRateLimiter
from facecli.uploads.upload import FRAME_SIZE


class Time:
    """`taking` seconds pass while a frame acquire, and those that are slept."""

    def __init__(self) -> None:
        self.now = 50.0
        self.slept = 0.0

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.slept += seconds
        self.now += seconds

    def send(self, limiter: SendRateLimiter, total: int, *, taking: float = 0.0) -> None:
        while total > 0:
            length = min(limiter.frame_size, total)
            limiter.acquire(length)
            self.now += taking
            total -= length


@given(rate=st.integers(1000, 10**9), seconds=st.floats(5, 100))
def test_a_limited_rate_is_kept(rate: int, seconds: float) -> None:
    time = Time()
    limiter = SendRateLimiter(rate, clock=time.clock, sleep=time.sleep)
    total = int(min(rate * seconds, 10**8))
    began = time.now
    time.send(limiter, total)
    took = time.now - began
    assert took <= total / rate + 1e-6
    assert took >= (total - FRAME_SIZE) / rate - 1e-6


def test_without_a_limit_nothing_is_waited_for_and_frames_are_large() -> None:
    time = Time()
    limiter = SendRateLimiter(0, clock=time.clock, sleep=time.sleep)
    time.send(limiter, 100 * FRAME_SIZE)
    assert (time.slept, limiter.frame_size) == (0.0, FRAME_SIZE)


def test_time_that_was_not_used_is_not_made_up_for_in_a_burst() -> None:
    time = Time()
    limiter = SendRateLimiter(1000, clock=time.clock, sleep=time.sleep)
    limiter.acquire(100)
    time.now += 1000
    began = time.now
    time.send(limiter, 100_000)
    assert time.now - began >= (100_000 - limiter.frame_size) / 1000


@pytest.mark.parametrize("line", [1_000_000, 200_000, 50_000])
def test_on_a_slow_line_a_frame_takes_no_more_than_a_second_or_two_to_leave(line: int) -> None:
    time = Time()
    limiter = SendRateLimiter(0, clock=time.clock, sleep=time.sleep)
    for _ in range(20):
        limiter.acquire(limiter.frame_size)
        time.now += limiter.frame_size / line
    assert limiter.frame_size == MIN_FRAME_SIZE or limiter.frame_size / line <= 2


def test_on_a_line_that_recovers_frames_become_large_again() -> None:
    time = Time()
    limiter = SendRateLimiter(0, clock=time.clock, sleep=time.sleep)
    time.send(limiter, 20 * FRAME_SIZE, taking=3.0)
    assert limiter.frame_size == MIN_FRAME_SIZE
    time.send(limiter, 20 * FRAME_SIZE, taking=0.001)
    assert limiter.frame_size == FRAME_SIZE
