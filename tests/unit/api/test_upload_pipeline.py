"""The upload pipeline: errors in a stage end the call, and finished chunks are committed in groups."""

import threading
from collections.abc import Callable, Iterator

import pytest

from facecli.api import upload_pipeline
from facecli.api.admission import Slot
from facecli.api.upload_pipeline import COMMIT_QUEUE, ConnectionLost, StreamLimits, UploadPipeline


def messages(end: Exception | None = None) -> Iterator[bytes]:
    yield b"0123"
    if end:
        raise end


def intake(
    messages: Iterator[bytes], write: Callable[[bytes], int | None] = len
) -> UploadPipeline[bytes, int]:
    limits = StreamLimits(idle=600, min_rate=0, draining=threading.Event())
    return UploadPipeline(messages, write, limits=limits, active=lambda: True, first=0, slot=Slot("ann"))


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
