"""The event bus: every listener receives every event, and none can harm the others or the publisher."""

import logging

import pytest

from facecli.core.events import Event, EventBus, WorkerLost


def test_every_listener_receives_every_event_in_order() -> None:
    bus, first, second = EventBus(), list[Event](), list[Event]()
    bus.subscribe(first.append)
    bus.publish(WorkerLost(worker="a"))
    bus.subscribe(second.append)
    bus.publish(WorkerLost(worker="b"))
    assert first == [WorkerLost(worker="a"), WorkerLost(worker="b")]
    assert second == [WorkerLost(worker="b")]


def test_a_failing_listener_is_logged_and_does_not_affect_the_others(
    caplog: pytest.LogCaptureFixture,
) -> None:
    bus, received = EventBus(), list[Event]()

    def fail(event: Event) -> None:
        raise KeyError(event)

    bus.subscribe(fail)
    bus.subscribe(received.append)
    with caplog.at_level(logging.ERROR):
        bus.publish(WorkerLost(worker="a"))
    assert received == [WorkerLost(worker="a")]
    (record,) = caplog.records
    assert (record.message, vars(record)["event"]) == ("event listener failed", "WorkerLost")
