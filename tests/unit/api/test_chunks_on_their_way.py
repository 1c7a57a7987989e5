"""Chunks that are still on their way to a bucket: others pass them, and they are never lost by the stream."""

import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import nullcontext

import pytest

from facecli.api import upload_pipeline
from facecli.api.upload_pipeline import COMMIT_QUEUE, ConnectionLost
from facecli.core.errors import IdleTooLong
from tests.unit.api.test_upload_pipeline import intake


@pytest.mark.parametrize("end", [None, ValueError("a bug")], ids=["end", "error"])
def test_a_chunk_that_is_still_being_sent_is_passed_by_others_and_awaited_at_the_end(
    end: Exception | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upload_pipeline, "POLL_SECONDS", 0.01)
    late = Future[None]()
    others = [b"0"] * 3 * COMMIT_QUEUE

    def messages() -> Iterator[bytes]:
        yield b"late"
        yield from others
        if end:
            raise end

    stored = list[int]()
    with pytest.raises(ValueError, match="a bug") if end else nullcontext():
        for batch in intake(messages(), sending=lambda size: late if size == len(b"late") else None):
            stored += batch
            if len(stored) == len(others):
                late.set_result(None)
    assert stored == [1] * len(others) + [4]


def test_a_server_that_drains_awaits_a_chunk_that_is_still_being_sent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(upload_pipeline, "POLL_SECONDS", 0.01)
    draining, late = threading.Event(), Future[None]()

    def messages() -> Iterator[bytes]:
        yield b"late"
        draining.set()
        late.exception(60)
        yield from ()

    def write(message: bytes) -> int:
        threading.Timer(0.2, late.set_result, [None]).start()
        return len(message)

    stored = list[int]()
    for batch in intake(messages(), write, draining=draining, sending=lambda _: late):
        stored += batch
    assert stored == [4]


def test_a_chunk_that_is_still_being_sent_is_committed_although_the_client_is_gone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(upload_pipeline, "POLL_SECONDS", 0.01)
    late, gone, asked = Future[None](), threading.Event(), threading.Semaphore(0)

    def messages() -> Iterator[bytes]:
        yield b"late"
        gone.set()
        late.exception(60)
        raise ConnectionLost

    def active() -> bool:
        if gone.is_set():
            asked.release()
        return not gone.is_set()

    def answer() -> None:
        for _ in range(5):
            asked.acquire(timeout=60)
        late.set_result(None)

    threading.Thread(target=answer, daemon=True).start()
    stored = list[int]()
    with pytest.raises(ConnectionLost):
        for batch in intake(messages(), sending=lambda _: late, active=active):
            stored += batch
    assert stored == [4]


def test_a_client_may_wait_for_a_chunk_that_is_still_being_sent_and_then_go_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(upload_pipeline, "POLL_SECONDS", 0.01)
    idle = 0.5
    late, acknowledged, second = Future[None](), threading.Event(), threading.Event()

    def messages() -> Iterator[bytes]:
        yield b"late"
        acknowledged.wait(60)
        yield b"1"
        second.wait(60)

    def write(message: bytes) -> int:
        if message == b"late":
            threading.Timer(3 * idle, late.set_result, [None]).start()
        return len(message)

    stored = list[int]()
    with pytest.raises(IdleTooLong):  # with nothing on its way the client may not wait for long
        for batch in intake(messages(), write, sending=lambda size: late if size == 4 else None, idle=idle):
            stored += batch
            if stored:
                acknowledged.set()
    second.set()
    assert stored == [4, 1]
