"""The end of a connection and of its calls."""

import threading
from types import SimpleNamespace

import pytest

from facecli.client import connection as module
from facecli.client.calls import response_stream
from facecli.client.connection import Connection


def test_an_interrupt_does_not_wait_for_a_channel_that_never_closes(monkeypatch: pytest.MonkeyPatch) -> None:
    never = threading.Event()
    monkeypatch.setattr(module, "CLOSE_SECONDS", 0.1)
    with pytest.raises(KeyboardInterrupt), Connection("127.0.0.1:1", call_timeout=1) as connection:
        monkeypatch.setattr(connection.channel, "close", never.wait)
        raise KeyboardInterrupt
    never.set()


def test_a_regular_end_waits_until_the_channel_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    closed = threading.Event()
    with Connection("127.0.0.1:1", call_timeout=1) as connection:
        monkeypatch.setattr(connection.channel, "close", closed.set)
    assert closed.is_set()


def test_an_interrupt_does_not_wait_for_a_call_that_is_never_cancelled(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    never = threading.Event()
    monkeypatch.setattr(response_stream, "CANCEL_SECONDS", 0.1)
    call = SimpleNamespace(cancel=never.wait)
    with (
        Connection("127.0.0.1:1", call_timeout=1) as connection,
        pytest.raises(KeyboardInterrupt),
        response_stream.ResponseStream(call, bytes, connection=connection, limit=60),
    ):
        raise KeyboardInterrupt
    never.set()
