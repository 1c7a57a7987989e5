"""Events that a worker sends to its server: the same on the other side, and never a reason to wait."""

import socket
from collections.abc import Iterator
from typing import Any

import pytest

from facecli.core import events
from facecli.core.events import Event
from facecli.worker.events import MAX_LINE, SENT, EventReceiver, EventSender

ENDED = events.TaskEnded(
    task_id="t1", engine="mock", status="failed", reason="MEDIA_REFUSED", message="no\nframes «"
)
EVENTS = (
    events.TaskStarted(task_id="t1", engine="mock", worker="w1", attempt=2),
    events.FramesSwapped(task_id="t1", engine="mock", frames=25),
    events.TaskCrashed(task_id="t1", engine="mock"),
    events.TaskRequeued(task_id="t1", engine="mock", worker="w1"),
    ENDED,
)


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


def all_received(connection: socket.socket, *, at_once: int = MAX_LINE) -> list[Event]:
    """The events in everything that was sent so far."""
    found: list[Event] = []
    receiver = EventReceiver(found.append)
    connection.setblocking(False)
    try:
        while data := connection.recv(at_once):
            receiver.feed(data)
    except BlockingIOError:
        pass
    return found


@pytest.mark.parametrize("at_once", [1, 7, MAX_LINE])
def test_events_arrive_as_they_were_between_pings(
    ends: tuple[socket.socket, socket.socket], at_once: int
) -> None:
    ours, theirs = ends
    sender = EventSender(theirs)
    for event in EVENTS:
        sender.ping()
        sender(event)
    assert {type(event) for event in EVENTS} == set(SENT.values())
    assert all_received(ours, at_once=at_once) == list(EVENTS)


def test_other_events_are_not_sent(ends: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = ends
    EventSender(theirs)(events.WorkerLost(worker="w1"))
    assert all_received(ours) == []


def test_a_server_that_does_not_read_loses_events_and_stops_no_worker(
    ends: tuple[socket.socket, socket.socket],
) -> None:
    ours, theirs = ends
    theirs.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    sender = EventSender(theirs)
    for _ in range(1000):
        sender(ENDED)
        sender.ping()
    some = all_received(ours)
    assert 0 < len(some) < 1000
    assert set(some) == {ENDED}, "no event was cut in the middle"
    sender(EVENTS[0])
    assert all_received(ours)[-1] == EVENTS[0], "it goes on when there is room"


class NarrowSocket(socket.socket):
    """Takes ten bytes at a time."""

    def send(self, data: Any, flags: int = 0) -> int:
        return super().send(data[:10], flags)


def test_a_line_that_fits_only_in_part_is_completed_before_the_next_one(
    ends: tuple[socket.socket, socket.socket],
) -> None:
    ours, theirs = ends
    with NarrowSocket(fileno=theirs.detach()) as narrow:
        sender = EventSender(narrow)
        for event in EVENTS[:3]:
            sender(event)
            for _ in range(20):
                sender.ping()
        assert all_received(ours) == list(EVENTS[:3])


def test_a_server_that_is_gone_stops_no_worker(ends: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = ends
    ours.close()
    EventSender(theirs)(ENDED)
    with pytest.raises(ConnectionError):
        EventSender(theirs).ping()


@pytest.mark.parametrize(
    "line",
    [b"hello", b"[]", b'["Event", {}]', b'["TaskCrashed", {"task_id": "t"}]', b"[" * 100_000, b"\xff" * 9000],
    ids=["text", "no event", "unknown", "incomplete", "deep", "long"],
)
def test_a_line_that_is_no_event_is_ignored(line: bytes, caplog: pytest.LogCaptureFixture) -> None:
    found: list[Event] = []
    receiver = EventReceiver(found.append)
    for start in range(0, len(line), MAX_LINE):
        receiver.feed(line[start : start + MAX_LINE])
    receiver.feed(b'\n["TaskCrashed", {"task_id": "t1", "engine": "mock"}]\n')
    assert found == [EVENTS[2]]
    assert [record.message for record in caplog.records] == ["line of a worker is not an event"]
