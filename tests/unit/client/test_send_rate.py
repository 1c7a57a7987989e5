"""The send rate limiter, on a fake clock."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facecli.client.send_rate import FAST_BYTES, FAST_RATE, LARGE_FRAME_SIZE, MIN_FRAME_SIZE, SendRateLimiter
from facecli.uploads.upload import FRAME_SIZE


class Time:
    """A clock that sleeping moves, and every sent frame by `taking` seconds."""

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


def test_without_a_limit_there_are_no_pauses_and_frames_are_large() -> None:
    time = Time()
    limiter = SendRateLimiter(0, clock=time.clock, sleep=time.sleep)
    time.send(limiter, 100 * FRAME_SIZE)
    assert (time.slept, limiter.frame_size) == (0.0, LARGE_FRAME_SIZE)


def test_frames_are_large_only_after_more_fast_bytes_than_buffers_hold() -> None:
    time = Time()
    limiter = SendRateLimiter(0, clock=time.clock, sleep=time.sleep)
    time.send(limiter, FAST_BYTES, taking=0.01)
    assert limiter.frame_size == FRAME_SIZE
    time.send(limiter, 2 * FRAME_SIZE, taking=0.01)
    assert limiter.frame_size == LARGE_FRAME_SIZE


def test_frames_are_not_large_on_a_network_of_medium_speed() -> None:
    time = Time()
    limiter = SendRateLimiter(0, clock=time.clock, sleep=time.sleep)
    time.send(limiter, 4 * FAST_BYTES, taking=1.1 * FRAME_SIZE / FAST_RATE)
    assert limiter.frame_size == FRAME_SIZE


@pytest.mark.parametrize("seconds", [0.5, 2.0])
def test_frames_are_not_large_any_more_when_the_network_slows_down(seconds: float) -> None:
    time = Time()
    limiter = SendRateLimiter(0, clock=time.clock, sleep=time.sleep)
    time.send(limiter, 2 * FAST_BYTES, taking=0.001)
    limiter.acquire(LARGE_FRAME_SIZE)
    time.now += seconds
    limiter.acquire(1)
    assert limiter.frame_size == FRAME_SIZE
    time.send(limiter, FAST_BYTES // 2, taking=0.001)
    assert limiter.frame_size == FRAME_SIZE


def test_frames_are_never_large_at_a_limited_rate() -> None:
    time = Time()
    limiter = SendRateLimiter(10**9, clock=time.clock, sleep=time.sleep)
    time.send(limiter, 100 * FRAME_SIZE)
    assert limiter.frame_size == FRAME_SIZE


def test_an_idle_time_causes_no_burst_afterwards() -> None:
    time = Time()
    limiter = SendRateLimiter(1000, clock=time.clock, sleep=time.sleep)
    limiter.acquire(100)
    time.now += 1000
    began = time.now
    time.send(limiter, 100_000)
    assert time.now - began >= (100_000 - limiter.frame_size) / 1000


@pytest.mark.parametrize("bytes_per_second", [1_000_000, 200_000, 50_000])
def test_on_a_slow_network_a_frame_takes_at_most_two_seconds(bytes_per_second: int) -> None:
    time = Time()
    limiter = SendRateLimiter(0, clock=time.clock, sleep=time.sleep)
    for _ in range(20):
        limiter.acquire(limiter.frame_size)
        time.now += limiter.frame_size / bytes_per_second
    assert limiter.frame_size == MIN_FRAME_SIZE or limiter.frame_size / bytes_per_second <= 2


def test_frames_grow_again_when_the_network_recovers() -> None:
    time = Time()
    limiter = SendRateLimiter(0, clock=time.clock, sleep=time.sleep)
    time.send(limiter, 20 * FRAME_SIZE, taking=3.0)
    assert limiter.frame_size == MIN_FRAME_SIZE
    time.send(limiter, 10 * FRAME_SIZE, taking=0.001)
    assert limiter.frame_size == FRAME_SIZE
