"""The places for parts on their way to a bucket: one upload never holds all of them."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait

import pytest

from facecli.blobs.s3.sender import PLACES, PartSender
from facecli.core.errors import Unavailable

WAITS = 0.2  # seconds after which a call is taken to wait
DEADLINE = 60.0  # seconds until a test gives up


class Uploads:
    """Uploads that reserve places, each call in a thread of its own."""

    def __init__(self, pool: ThreadPoolExecutor) -> None:
        self._pool = pool
        self.sender = PartSender()
        self.ended = threading.Event()

    def reserve(self, key: str, cancelled: Callable[[], bool] | None = None) -> "Future[bool]":
        return self._pool.submit(self.sender.reserve, key, cancelled or self.ended.is_set)

    def fill(self, key: str) -> tuple[int, "Future[bool]"]:
        """Take places until a call waits; their number, and that call."""
        count = 0
        while True:
            reserved = self.reserve(key)
            if not wait([reserved], WAITS).done:
                return count, reserved
            count += 1


@pytest.fixture
def uploads() -> Iterator[Uploads]:
    with ThreadPoolExecutor(2 * PLACES) as pool:
        uploads = Uploads(pool)
        try:
            yield uploads
        finally:
            uploads.ended.set()
            uploads.sender.end_waits()


def test_an_upload_holds_half_of_the_places_and_the_next_one_half_of_the_rest(uploads: Uploads) -> None:
    held = [uploads.fill(key)[0] for key in "abc"]
    assert held == [PLACES // 2, PLACES // 4, PLACES // 8]


def test_a_place_that_is_given_back_goes_to_the_upload_that_holds_fewer(uploads: Uploads) -> None:
    waiting = [uploads.fill(key)[1] for key in "abcde"]
    late = uploads.reserve("f")
    assert not wait([late], WAITS).done
    uploads.sender.free_place("a")
    assert late.result(DEADLINE)
    assert not wait(waiting, WAITS).done


def test_a_wait_for_a_place_can_be_cancelled(uploads: Uploads) -> None:
    uploads.fill("a")
    cancelled = threading.Event()
    reserved = uploads.reserve("a", cancelled.is_set)
    assert not wait([reserved], WAITS).done
    cancelled.set()
    uploads.sender.end_waits()
    assert not reserved.result(DEADLINE)


def test_a_request_gives_its_place_back_when_it_ends(uploads: Uploads) -> None:
    def fail() -> None:
        raise OSError("the bucket is away")

    for _ in range(3 * PLACES):
        assert uploads.reserve("a").result(DEADLINE)
        assert uploads.sender.send("a", fail).exception(DEADLINE)


def test_a_server_that_has_ended_says_so_and_keeps_no_place(uploads: Uploads) -> None:
    uploads.sender._pool.shutdown(wait=False)
    for _ in range(PLACES):
        assert uploads.reserve("a").result(DEADLINE)
        with pytest.raises(Unavailable, match="shutting down"):
            uploads.sender.send("a", lambda: None)
