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


def pauses_until_spent(retry_budget: RetryBudget, error: Unavailable | TooManyCalls) -> list[float]:
    pauses: list[float] = []
    while retry_budget.wait(error, lambda reason, seconds: pauses.append(seconds)):
        pass
    return pauses


def test_pauses_double_up_to_a_ceiling_until_the_limit() -> None:
    time = Time()
    pauses = pauses_until_spent(RetryBudget(60, clock=time.clock, sleep=time.sleep), Unavailable())
    assert pauses[0] < pauses[2] < pauses[4]
    assert max(pauses) <= MAX_DELAY * 1.25
    assert 60 - 2 * MAX_DELAY < time.now <= 60


def test_progress_resets_the_limit() -> None:
    time = Time()
    retry_budget = RetryBudget(10, clock=time.clock, sleep=time.sleep)
    pauses_until_spent(retry_budget, Unavailable())
    retry_budget.progressed()
    assert pauses_until_spent(retry_budget, Unavailable())


def test_delays_are_at_least_the_retry_after_of_the_server() -> None:
    time = Time()
    pauses = pauses_until_spent(
        RetryBudget(10, clock=time.clock, sleep=time.sleep), TooManyCalls(retry_after=4)
    )
    assert min(pauses) >= 4


def test_a_budget_of_zero_allows_no_retry() -> None:
    time = Time()
    assert pauses_until_spent(RetryBudget(0, clock=time.clock, sleep=time.sleep), Unavailable()) == []


def test_a_wait_as_asked_never_grows() -> None:
    time = Time()
    retry_budget = RetryBudget(10, clock=time.clock, sleep=time.sleep)
    while retry_budget.wait_as_asked(TooManyCalls(retry_after=1)):
        pass
    assert time.now == 9


def test_a_started_budget_counts_the_time_before_the_first_failure() -> None:
    time = Time()
    retry_budget = RetryBudget(10, clock=time.clock, sleep=time.sleep)
    retry_budget.start()
    time.now += 9.5
    assert not retry_budget.wait_as_asked(TooManyCalls(retry_after=1))
