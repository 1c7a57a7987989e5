"""Admission control: the concurrency limit, shares of users, and eviction of idle calls."""

from contextlib import ExitStack

import pytest

from facecli.api.admission import Admission, Slot
from facecli.core.errors import TooManyCalls


@pytest.fixture
def calls() -> ExitStack:
    return ExitStack()


def idle(stack: ExitStack, admission: Admission, seconds: float) -> Slot:
    slot = stack.enter_context(admission.acquire())
    slot.idle_seconds = lambda: seconds
    return slot


def test_calls_over_the_limit_are_refused_until_one_ends(calls: ExitStack) -> None:
    admission = Admission(2, "uploads")
    with calls, admission.acquire(), pytest.raises(TooManyCalls, match="already has 2 uploads"):
        idle(calls, admission, 1e9)
        idle(calls, admission, 1e9)
    with admission.acquire():
        pass


def test_the_longest_idle_call_is_evicted_for_a_new_one(calls: ExitStack) -> None:
    admission = Admission(3, "uploads", evict_after=3)
    with calls:
        concurrency = [idle(calls, admission, seconds) for seconds in (2, 9, 5)]
        idle(calls, admission, 0)
        assert [slot.evicted for slot in concurrency] == [False, True, False]
        idle(calls, admission, 0)
        assert [slot.evicted for slot in concurrency] == [False, True, True]
        with pytest.raises(TooManyCalls):
            idle(calls, admission, 0)


def test_the_end_of_an_evicted_call_frees_no_slot(calls: ExitStack) -> None:
    admission = Admission(1, "uploads", evict_after=3)
    with ExitStack() as first:
        idle(first, admission, 9)
        second = idle(calls, admission, 0)
    with calls:
        with pytest.raises(TooManyCalls):
            idle(calls, admission, 0)
        assert not second.evicted


def test_evicted_calls_that_still_run_are_limited_too(calls: ExitStack) -> None:
    admission = Admission(2, "uploads", evict_after=3)
    with calls:
        for _ in range(4):
            idle(calls, admission, 9)
        with pytest.raises(TooManyCalls):
            idle(calls, admission, 9)


def test_one_user_gets_a_share_and_the_rest_is_for_others(calls: ExitStack) -> None:
    admission = Admission(4, "uploads", share=75)
    with calls:
        concurrency = [calls.enter_context(admission.acquire("ann")) for _ in range(3)]
        with pytest.raises(TooManyCalls, match="ann already has 3 uploads in progress"):
            calls.enter_context(admission.acquire("ann"))
        calls.enter_context(admission.acquire("bob"))
        with pytest.raises(TooManyCalls, match="already has 4 uploads in progress"):
            calls.enter_context(admission.acquire("cyd"))
        assert not any(slot.evicted for slot in concurrency)


def test_a_user_with_a_full_share_evicts_a_call_of_their_own(calls: ExitStack) -> None:
    admission = Admission(4, "uploads", share=50, evict_after=3)
    with calls:
        concurrency = [calls.enter_context(admission.acquire(user)) for user in ("bob", "ann", "ann")]
        for slot, seconds in zip(concurrency, (99, 5, 9), strict=True):
            slot.idle_seconds = lambda seconds=seconds: seconds  # type: ignore[misc]
        calls.enter_context(admission.acquire("ann"))
        assert [slot.evicted for slot in concurrency] == [False, False, True]


def test_shares_do_not_apply_where_names_are_trusted(calls: ExitStack) -> None:
    admission = Admission(2, "uploads", share=50)
    with calls:
        for _ in range(2):
            calls.enter_context(admission.acquire())


def test_a_limit_of_zero_refuses_every_call(calls: ExitStack) -> None:
    with calls, pytest.raises(TooManyCalls):
        idle(calls, Admission(0, "uploads"), 0)


def test_an_evicted_call_learns_of_it_at_once(calls: ExitStack) -> None:
    admission, evictions = Admission(1, "uploads", evict_after=3), list[str]()
    with calls:
        first = admission.acquire(idle_seconds=lambda: 9, on_evict=lambda: evictions.append("first"))
        calls.enter_context(first)
        assert not evictions
        idle(calls, admission, 0)
        assert evictions == ["first"]


def test_a_full_share_does_not_lower_the_limit_of_evicted_calls(calls: ExitStack) -> None:
    admission = Admission(4, "calls", share=50, evict_after=0)
    with calls:
        for _ in range(8):
            calls.enter_context(admission.acquire("ann"))


def test_a_burst_of_some_users_evicts_no_call_of_another(calls: ExitStack) -> None:
    admission = Admission(4, "calls", share=75, evict_after=0, evict_heaviest=True)
    with calls:
        oldest = calls.enter_context(admission.acquire("bob", idle_seconds=lambda: 99))
        for user in ("ann", "eve", "eve", "ann", "eve", "ann"):
            calls.enter_context(admission.acquire(user))
        assert not oldest.evicted
