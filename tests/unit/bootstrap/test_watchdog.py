"""The watchdog of a service manager gets pings only while the service works."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from facecli.bootstrap.service.watchdog import database_answer, watched
from facecli.config.settings import Settings
from facecli.core.errors import StorageFailed, Unavailable
from facecli.telemetry.service_manager import ServiceManager
from tests.support.eventually import eventually, never
from tests.support.monitoring.notify_socket import WATCHDOG_SECONDS, NotifySocket, notify_socket

SQLITE, POSTGRESQL = Settings(), Settings(database="postgresql://db/facecli")


@pytest.fixture
def found(tmp_path: Path) -> Iterator[NotifySocket]:
    with notify_socket(tmp_path) as found:
        yield found


def raising(error: Exception) -> Callable[[], object]:
    def ask() -> None:
        raise error

    return ask


def test_pings_follow_the_answers(found: NotifySocket) -> None:
    asked: list[int] = []
    with watched(ServiceManager(found.environment), [lambda: asked.append(1)]):
        for _ in range(3):
            assert found.receive() == {"WATCHDOG": "1"}
    assert len(asked) >= 2


def test_a_question_without_an_answer_ends_the_pings_until_it_comes(found: NotifySocket) -> None:
    asked, answer = threading.Event(), threading.Event()

    def ask() -> None:
        asked.set()
        answer.wait()

    with watched(ServiceManager(found.environment), [ask]):
        asked.wait()
        found.forget()
        never(found.has_message, during=2 * WATCHDOG_SECONDS)
        answer.set()
        assert found.receive() == {"WATCHDOG": "1"}


@pytest.mark.parametrize(
    ("settings", "error", "pings"),
    [
        (SQLITE, Unavailable("locked"), False),
        (SQLITE, StorageFailed("damaged"), False),
        (POSTGRESQL, ValueError("a bug"), False),
        (POSTGRESQL, Unavailable("refused"), True),
    ],
)
def test_an_error_costs_the_ping_unless_it_is_elsewhere(
    found: NotifySocket, settings: Settings, error: Exception, pings: bool
) -> None:
    asked: list[int] = []

    def ask() -> None:
        asked.append(1)
        raise error

    with watched(ServiceManager(found.environment), [database_answer(settings, ask)]):
        assert found.receive() == {"WATCHDOG": "1"}  # the first, before any question
        eventually(lambda: len(asked) > 2)
        assert found.has_message() is pings


def test_a_manager_without_a_watchdog_asks_nothing() -> None:
    with watched(ServiceManager({}), [raising(AssertionError("asked"))]):
        pass
