"""Exponential backoff with jitter, and the retry budget."""

from facecli.core.backoff import MAX_DELAY, RetryBudget
from facecli.core.errors import TooManyCalls, Unavailable


class Time:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def tries(retry_budget: RetryBudget, error: Unavailable | TooManyCalls) -> list[float]:
    pauses: list[float] = []
    while retry_budget.wait(error, lambda reason, seconds: pauses.append(seconds)):
        pass
    return pauses


def test_pauses_double_up_to_a_ceiling_until_the_limit() -> None:
    time = Time()
    pauses = tries(RetryBudget(60, clock=time.clock, sleep=time.sleep), Unavailable())
    assert pauses[0] < pauses[2] < pauses[4]
    assert max(pauses) <= MAX_DELAY * 1.25
    assert 60 - 2 * MAX_DELAY < time.now <= 60


def test_progress_makes_the_limit_count_anew() -> None:
    time = Time()
    retry_budget = RetryBudget(10, clock=time.clock, sleep=time.sleep)
    tries(retry_budget, Unavailable())
    retry_budget.progressed()
    assert tries(retry_budget, Unavailable())


def test_what_a_server_asks_for_is_waited_for() -> None:
    time = Time()
    pauses = tries(RetryBudget(10, clock=time.clock, sleep=time.sleep), TooManyCalls(retry_after=4))
    assert min(pauses) >= 4


def test_no_patience_is_no_second_try() -> None:
    time = Time()
    assert tries(RetryBudget(0, clock=time.clock, sleep=time.sleep), Unavailable()) == []
