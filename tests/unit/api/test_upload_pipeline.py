"""Errors in a stage of the upload pipeline end the call."""

import threading
from collections.abc import Callable, Iterator

import pytest

from facecli.api.admission import Slot
from facecli.api.upload_pipeline import ConnectionLost, StreamLimits, UploadPipeline
from facecli.uploads.stage_times import StageClock


def messages(end: Exception | None = None) -> Iterator[bytes]:
    yield b"0123"
    if end:
        raise end


def intake(
    messages: Iterator[bytes],
    write: Callable[[bytes], int | None] = len,
    stages: StageClock | None = None,
) -> UploadPipeline[bytes, int]:
    limits = StreamLimits(idle=600, min_rate=0, draining=threading.Event())
    return UploadPipeline(
        messages, write, limits=limits, active=lambda: True, first=0, slot=Slot("ann"), stages=stages
    )


@pytest.mark.parametrize("end", [ConnectionLost(), ValueError("a bug")])
def test_an_error_of_the_source_is_raised_after_the_items_before_it(end: Exception) -> None:
    batches = iter(intake(messages(end)))
    with pytest.raises(type(end)):
        assert [finished for batch in batches for finished in batch] == [4]


def test_a_bug_in_writing_is_raised_once_with_its_stack() -> None:
    def write(message: bytes) -> None:
        raise ValueError("a bug")

    with pytest.raises(ValueError, match="a bug") as raised:
        list(intake(messages(), write))
    assert "write" in [entry.name for entry in raised.traceback]


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


def test_a_chunk_waits_for_the_others_of_its_batch() -> None:
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
    second, *_ = batches
    together = second == [2, 3]  # unless this machine took longer than a batch waits
    assert stages.times().chunks_queued in ({4.0} if together else {0.0, 4.0})
