"""FairSlots: limits, and the order in which waiters are served."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from facecli.core.errors import Cancelled
from facecli.tasks.inputs.fair_slots import FairSlots
from tests.support.eventually import eventually


def go_on() -> bool:
    return False


def stop() -> bool:
    return True


def test_one_owner_leaves_room_for_others() -> None:
    slots = FairSlots(4, owner_limit=2)
    with ExitStack() as held:
        for owner in ("ann", "ann", "bob"):
            held.enter_context(slots.acquire(owner, stopped=go_on))
        with pytest.raises(Cancelled):
            held.enter_context(slots.acquire("ann", stopped=stop))
        held.enter_context(slots.acquire("bob", stopped=go_on))
        with pytest.raises(Cancelled):
            held.enter_context(slots.acquire("carol", stopped=stop))
    with slots.acquire("ann", stopped=stop):
        pass  # every slot is free again


def test_a_free_slot_goes_to_the_owner_who_holds_the_fewest() -> None:
    slots, served, waiting = FairSlots(2, owner_limit=2), list[str](), threading.Semaphore(0)

    def wait(owner: str) -> None:
        def asked() -> bool:
            waiting.release()
            return False

        with slots.acquire(owner, stopped=asked):
            served.append(owner)

    with ThreadPoolExecutor(4) as pool, slots.acquire("ann", stopped=go_on):
        with slots.acquire("zoe", stopped=go_on):
            for owner in ("ann", "bob"):
                pool.submit(wait, owner)
                waiting.acquire()
        eventually(lambda: len(served) == 2)
    assert served == ["bob", "ann"]
