"""Places for long calls: never more than there are, and none for who holds one and says nothing."""

from contextlib import ExitStack

import pytest

from facecli.api.admission import Admission, Slot
from facecli.core.errors import TooManyCalls


@pytest.fixture
def calls() -> ExitStack:
    return ExitStack()


def silent(stack: ExitStack, admission: Admission, seconds: float) -> Slot:
    slot = stack.enter_context(admission.acquire())
    slot.idle_seconds = lambda: seconds
    return slot


def test_what_is_over_the_limit_is_refused_until_a_call_ends(calls: ExitStack) -> None:
    admission = Admission(2, "uploads")
    with calls, admission.acquire(), pytest.raises(TooManyCalls, match="already has 2 uploads"):
        silent(calls, admission, 1e9)
        silent(calls, admission, 1e9)
    with admission.acquire():
        pass


def test_the_longest_silence_loses_its_place_to_who_asks(calls: ExitStack) -> None:
    admission = Admission(3, "uploads", evict_after=3)
    with calls:
        concurrency = [silent(calls, admission, seconds) for seconds in (2, 9, 5)]
        silent(calls, admission, 0)
        assert [slot.evicted for slot in concurrency] == [False, True, False]
        silent(calls, admission, 0)
        assert [slot.evicted for slot in concurrency] == [False, True, True]
        with pytest.raises(TooManyCalls):
            silent(calls, admission, 0)


def test_who_lost_a_place_frees_none_when_it_ends(calls: ExitStack) -> None:
    admission = Admission(1, "uploads", evict_after=3)
    with ExitStack() as first:
        silent(first, admission, 9)
        second = silent(calls, admission, 0)
    with calls:
        with pytest.raises(TooManyCalls):
            silent(calls, admission, 0)
        assert not second.evicted


def test_calls_that_lost_their_place_and_do_not_end_are_limited_too(calls: ExitStack) -> None:
    admission = Admission(2, "uploads", evict_after=3)
    with calls:
        for _ in range(4):
            silent(calls, admission, 9)
        with pytest.raises(TooManyCalls):
            silent(calls, admission, 9)


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


def test_who_has_all_of_a_share_loses_the_longest_silence_of_it(calls: ExitStack) -> None:
    admission = Admission(4, "uploads", share=50, evict_after=3)
    with calls:
        concurrency = [calls.enter_context(admission.acquire(user)) for user in ("bob", "ann", "ann")]
        for slot, seconds in zip(concurrency, (99, 5, 9), strict=True):
            slot.idle_seconds = lambda seconds=seconds: seconds  # type: ignore[misc]
        calls.enter_context(admission.acquire("ann"))
        assert [slot.evicted for slot in concurrency] == [False, False, True]


def test_where_names_are_believed_there_are_no_shares(calls: ExitStack) -> None:
    admission = Admission(2, "uploads", share=50)
    with calls:
        for _ in range(2):
            calls.enter_context(admission.acquire())


def test_a_server_for_no_uploads_takes_none(calls: ExitStack) -> None:
    with calls, pytest.raises(TooManyCalls):
        silent(calls, Admission(0, "uploads"), 0)
