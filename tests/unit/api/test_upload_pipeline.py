"""The upload pipeline: errors in a stage end the call, and finished chunks are committed in groups."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future

import pytest

from facecli.api import upload_pipeline
from facecli.api.admission import Slot
from facecli.api.stream_deadline import StreamLimits
from facecli.api.upload_pipeline import COMMIT_QUEUE, ConnectionLost, UploadPipeline
from facecli.core.errors import Unavailable
from facecli.uploads.stage_times import StageClock


def messages(end: Exception | None = None) -> Iterator[bytes]:
    yield b"0123"
    if end:
        raise end


def intake(
    messages: Iterator[bytes],
    write: Callable[[bytes], int | None] = len,
    stages: StageClock | None = None,
    draining: threading.Event | None = None,
    sending: Callable[[int], Future[None] | None] = lambda _: None,
    active: Callable[[], bool] = lambda: True,
    idle: float = 600,
) -> UploadPipeline[bytes, int]:
    limits = StreamLimits(idle=idle, min_rate=0, draining=draining or threading.Event())
    return UploadPipeline(
        messages,
        write,
        limits=limits,
        active=active,
        sending=sending,
        first=0,
        slot=Slot("ann"),
        stages=stages,
    )


@pytest.mark.parametrize("end", [ConnectionLost(), ValueError("a bug")])
def test_an_error_of_the_source_is_raised_after_the_items_before_it(end: Exception) -> None:
    batches = iter(intake(messages(end)))
    with pytest.raises(type(end)):
        assert [finished for batch in batches for finished in batch] == [4]


@pytest.mark.parametrize("goes_on", [False, True], ids=["client is idle", "client goes on"])
def test_everything_that_has_arrived_is_committed_before_a_server_that_drains_ends(
    monkeypatch: pytest.MonkeyPatch, goes_on: bool
) -> None:
    monkeypatch.setattr(upload_pipeline, "POLL_SECONDS", 0.01)
    draining, ended = threading.Event(), threading.Event()

    def messages() -> Iterator[bytes]:
        yield b"0"
        yield b"11"
        draining.set()
        yield b"222"
        if not goes_on:
            ended.wait(60)
        while True:
            yield b"4444"

    def write(message: bytes) -> int:
        draining.wait(60)
        ended.wait(0.1)  # the committer looks several times in vain
        return len(message)

    stored = list[int]()
    with pytest.raises(Unavailable, match="shutting down"):
        for batch in intake(messages(), write, draining=draining):
            stored += batch
    ended.set()
    assert stored[:3] == [1, 2, 3]
    assert len(stored) <= 3 + 1


def test_a_bug_in_writing_is_raised_once_with_its_stack() -> None:
    def write(message: bytes) -> None:
        raise ValueError("a bug")

    with pytest.raises(ValueError, match="a bug") as raised:
        list(intake(messages(), write))
    assert "write" in [entry.name for entry in raised.traceback]


def test_a_fast_stream_is_committed_in_full_groups_and_its_end_waits_for_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(upload_pipeline, "BATCH_SECONDS", 3600)
    batches = list(intake(iter([b"0123"] * 5 * COMMIT_QUEUE)))
    assert sum(map(len, batches)) == 5 * COMMIT_QUEUE
    assert {len(batch) for batch in batches[1:-1]} == {COMMIT_QUEUE}


def test_a_chunk_is_committed_although_no_other_follows() -> None:
    committed = threading.Semaphore(0)

    def messages() -> Iterator[bytes]:
        for _ in range(3):
            yield b"0123"
            committed.acquire()

    batches = []
    for batch in intake(messages()):
        batches += [batch] if batch else []
        committed.release()
    assert batches == [[4]] * 3


def test_the_wait_for_the_client_the_writing_and_the_waits_in_the_queues_are_measured() -> None:
    now = 100.0
    written = threading.Event()

    def slow_client() -> Iterator[bytes]:
        nonlocal now
        now += 5.0
        yield b"0123"
        written.wait(60)

    def write(message: bytes) -> int:
        nonlocal now
        now += 3.0
        written.set()
        return len(message)

    stages = StageClock(lambda: now)
    assert [finished for batch in intake(slow_client(), write, stages) for finished in batch] == [4]
    times = stages.times()
    assert (times.elapsed, times.receive, times.write) == (8.0, 5.0, 3.0)
    assert 0 < times.write_cpu < 60
    assert (times.frames_queued, times.receive_blocked, times.write_blocked) == (0.0, 0.0, 0.0)


def test_a_chunk_waits_for_the_others_of_its_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upload_pipeline, "BATCH_SECONDS", 3600)
    now = 0.0
    first_stored = threading.Event()
    committer = threading.current_thread()
    readings = threading.Semaphore(0)  # of the clock, by the committer

    def clock() -> float:
        if threading.current_thread() is committer:
            readings.release()
        return now

    def write(message: bytes) -> int:
        nonlocal now
        if message == b"11":
            first_stored.wait(60)
        if message == b"222":
            for _ in range(2):  # the committer has taken the chunk before, and waits for this one
                readings.acquire(timeout=60)
            now += 4.0
        return len(message)

    stages = StageClock(clock)
    batches = iter(intake(iter([b"0", b"11", b"222"]), write, stages))
    assert next(batches) == [1]
    while readings.acquire(blocking=False):
        pass
    first_stored.set()
    assert list(batches) == [[2, 3]]
    assert stages.times().chunks_queued == 4.0
