"""Errors in a stage of the upload pipeline end the call."""

import threading
from collections.abc import Callable, Iterator

import pytest

from facecli.api.admission import Slot
from facecli.api.upload_pipeline import ConnectionLost, StreamLimits, UploadPipeline


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
