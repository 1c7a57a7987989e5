"""Polling with a deadline: the only place in the tests that sleeps.

Prefer an event, a condition variable or a fake clock. Poll only where another process offers no event.
"""

import time
from collections.abc import Callable
from typing import TypeVar

DEADLINE = 120.0  # seconds until a test gives up; never an expectation of how long something takes
INTERVAL = 0.02  # seconds between two checks

Value = TypeVar("Value")


def poll(condition: Callable[[], Value], *, within: float, every: float = INTERVAL) -> Value:
    """Check until the condition is truthy or the time is up; its last value."""
    deadline = time.monotonic() + within
    while not (value := condition()) and time.monotonic() < deadline:
        time.sleep(every)
    return value


def eventually(condition: Callable[[], Value], *, within: float = DEADLINE, every: float = INTERVAL) -> Value:
    """The first truthy value of the condition; the test fails if there is none in time."""
    value = poll(condition, within=within, every=every)
    assert value, f"still {value!r} after {within:g} seconds"
    return value


def never(condition: Callable[[], object], *, during: float) -> None:
    """Assert that the condition stays falsy for a number of seconds."""
    value = poll(condition, within=during)
    assert not value, f"became {value!r} within {during:g} seconds"
