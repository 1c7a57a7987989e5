"""The send pool serves many clients, and one that does not read delays no other."""

import threading
from collections.abc import Iterator
from queue import SimpleQueue
from threading import Event

import pytest

from facecli.rpc.send_pool import SendPool

DEADLINE = 60.0  # seconds after which a test fails


@pytest.fixture
def send_pool() -> Iterator[SendPool]:
    send_pool = SendPool(2, stall=0.01)
    yield send_pool
    send_pool.close()


def test_all_sends_run_and_start_in_order() -> None:
    send_pool, done = SendPool(1), SimpleQueue[int]()
    for number in range(100):
        send_pool.submit(lambda number=number: done.put(number))  # type: ignore[misc]
    send_pool.close()
    assert [done.get(timeout=DEADLINE) for _ in range(100)] == list(range(100))


def test_clients_that_do_not_read_delay_no_other(send_pool: SendPool) -> None:
    reading, held, done = Event(), SimpleQueue[None](), SimpleQueue[int]()

    def send_to_who_does_not_read() -> None:
        held.put(None)
        reading.wait(DEADLINE)

    for _ in range(5):
        send_pool.submit(send_to_who_does_not_read)
    for number in range(20):
        send_pool.submit(lambda number=number: done.put(number))  # type: ignore[misc]
    assert [done.get(timeout=DEADLINE) for _ in range(20)] == list(range(20))
    assert [held.get(timeout=DEADLINE) for _ in range(5)] == [None] * 5
    reading.set()


def test_the_pool_shrinks_when_its_extra_threads_are_idle(send_pool: SendPool) -> None:
    before = set(threading.enumerate())
    reading, held, free = Event(), SimpleQueue[None](), SimpleQueue[None]()

    def send_to_who_does_not_read() -> None:
        held.put(None)
        reading.wait(DEADLINE)

    for _ in range(6):
        send_pool.submit(send_to_who_does_not_read)
    for _ in range(6):
        held.get(timeout=DEADLINE)
    helpers = [thread for thread in set(threading.enumerate()) - before if thread.name == "sending"]
    reading.set()
    send_pool.submit(lambda: free.put(None))
    free.get(timeout=DEADLINE)
    send_pool.close()
    for thread in helpers:
        thread.join(DEADLINE)
        assert not thread.is_alive()


def test_a_bug_in_one_send_does_not_stop_the_others(
    send_pool: SendPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    reported, done = SimpleQueue[object](), SimpleQueue[int]()
    monkeypatch.setattr(threading, "excepthook", reported.put)
    for number in range(10):
        send_pool.submit(lambda: [][0])
        send_pool.submit(lambda number=number: done.put(number))  # type: ignore[misc]
    assert sorted(done.get(timeout=DEADLINE) for _ in range(10)) == list(range(10))
    for _ in range(10):
        reported.get(timeout=DEADLINE)
