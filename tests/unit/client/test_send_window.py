"""The window of an upload: sending goes on while acknowledgements follow, and waits while they do not."""

import threading

import pytest

from facecli.client.calls import send_window
from facecli.client.calls.send_window import MIN_WAIT, QUIET, SLOW, SendWindow


class Stream:
    """A window on a clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 0.0
        self.window = SendWindow(clock=lambda: self.now)

    def send(self, chunk: int, *, acknowledged_after: float | None = None) -> None:
        self.window.sending_end(chunk)
        if acknowledged_after is not None:
            self.now += acknowledged_after
            self.window.acknowledged(chunk)


def test_sending_waits_once_no_chunk_is_acknowledged_and_goes_on_with_an_acknowledgement() -> None:
    stream = Stream()
    stream.send(0)
    stream.now += MIN_WAIT / 2
    stream.send(1)
    assert not stream.window.is_behind()
    stream.now += MIN_WAIT / 2
    assert stream.window.is_behind()
    stream.window.acknowledged(0)
    assert not stream.window.is_behind()


def test_a_late_chunk_stops_nothing_while_others_are_acknowledged() -> None:
    stream = Stream()
    stream.send(0)
    for chunk in range(1, 50):
        stream.send(chunk, acknowledged_after=MIN_WAIT / 10)
    assert not stream.window.is_behind()
    stream.now += QUIET
    stream.window.acknowledged(70)  # of an upload that another stream continues
    assert stream.window.is_behind()
    stream.window.acknowledged(0)
    assert not stream.window.is_behind()


def test_storage_that_is_always_slow_does_not_hold_up_the_next_chunk() -> None:
    stream = Stream()
    usual = 2 * MIN_WAIT
    for chunk in range(3):
        stream.send(chunk, acknowledged_after=usual)
    stream.send(3)
    stream.now += SLOW * usual - 0.1
    assert not stream.window.is_behind()
    stream.now += 0.2
    assert stream.window.is_behind()


@pytest.mark.parametrize("end", ["acknowledged", "close", "pause"])
def test_a_wait_ends_by_the_acknowledgement_the_end_of_the_stream_or_its_longest_time(
    end: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(send_window, "MAX_PAUSE", 0.01 if end == "pause" else 3600)
    stream = Stream()
    stream.send(0)
    stream.now += MIN_WAIT
    waiting = threading.Thread(target=stream.window.wait)
    waiting.start()
    if end == "acknowledged":
        stream.window.acknowledged(0)
    elif end == "close":
        stream.window.close()
    waiting.join(60)
    assert not waiting.is_alive()
