"""Pings to the watchdog of a service manager, as long as this process works."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress

from facecli.config.settings import Settings
from facecli.core.errors import Unavailable
from facecli.core.periodic import run_periodically
from facecli.telemetry.service_manager import ServiceManager


@contextmanager
def watched(manager: ServiceManager, answers: Sequence[Callable[[], object]]) -> Iterator[None]:
    """Ping the watchdog whenever all of these have answered, until leaving.

    One that raises an error or does not return costs the ping.
    """
    if manager.ping_interval is None:
        yield
        return

    def ask() -> None:
        for answer in answers:
            answer()
        manager.ping()

    manager.ping()
    with run_periodically(manager.ping_interval, ask):
        yield


def database_answer(settings: Settings, ask: Callable[[], object]) -> Callable[[], object]:
    """The answer of the database. A PostgreSQL that refuses has answered: no restart here brings it back."""

    def answer() -> None:
        with suppress(Unavailable):
            ask()

    return answer if settings.database else ask
