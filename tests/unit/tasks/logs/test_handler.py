"""TaskLogHandler: the records of the engine and of the run, and none of the rest of the worker."""

import logging
import re
import threading
from collections.abc import Callable, Iterator

import pytest

from facecli.tasks.logs.handler import captured
from facecli.tasks.logs.run_log import RunLog
from facecli.telemetry.logs import set_up_logging
from tests.support.tasks.logs import MemoryTaskLogs

ENGINE = logging.getLogger("corner.model")
OURS = logging.getLogger("facecli.engines.mock")


class Recorded:
    """A log that captures, and its lines."""

    def __init__(self) -> None:
        self.repository = MemoryTaskLogs()
        self.log = RunLog(self.repository, "t1", run="r1")

    @property
    def lines(self) -> list[str]:
        self.log.flush()
        return [f"{entry.level} {entry.logger} {entry.text}" for entry in self.repository.entries]


@pytest.fixture
def recorded() -> Iterator[Recorded]:
    root = logging.getLogger()
    level = root.level
    root.setLevel(logging.WARNING)
    recorded = Recorded()
    with captured(recorded.log):
        yield recorded
    assert root.level == logging.WARNING
    root.setLevel(level)


def in_thread(work: Callable[[], None]) -> None:
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()


def test_records_from_info_on_are_captured_whatever_the_level_of_the_worker(recorded: Recorded) -> None:
    ENGINE.debug("no")
    ENGINE.info("%d faces", 2, extra={"frame": 7, "name_of": "a b"})
    ENGINE.critical("out of memory")
    assert recorded.lines == [
        'info corner.model 2 faces frame=7 name_of="a b"',
        "critical corner.model out of memory",
    ]


def test_a_worker_that_logs_details_adds_none_to_the_log(recorded: Recorded) -> None:
    logging.getLogger().setLevel(logging.DEBUG)
    ENGINE.debug("a detail")
    ENGINE.info("a fact")
    assert recorded.lines == ["info corner.model a fact"]


def test_threads_of_the_engine_count_and_threads_of_the_worker_do_not(recorded: Recorded) -> None:
    in_thread(lambda: ENGINE.info("from a pool"))
    in_thread(lambda: logging.getLogger("facecli.tasks.recovery").warning("about the task of another user"))
    OURS.info("from the run")
    assert recorded.lines == ["info corner.model from a pool", "info facecli.engines.mock from the run"]


@pytest.mark.parametrize(
    "name",
    ["dbos", "dbos.queue", "sqlalchemy.engine", "alembic", "psycopg.pool", "facecli.tasks.logs.run_log"],
)
def test_the_database_the_queue_and_the_log_itself_are_left_out(recorded: Recorded, name: str) -> None:
    logging.getLogger(name).error("of the server")
    assert recorded.lines == []


def test_fields_for_the_administrator_are_left_out(recorded: Recorded) -> None:
    OURS.info(
        "task started", extra={"task": "t1", "run": "secret", "worker": "gpu-7", "pid": 3, "attempt": 1}
    )
    assert recorded.lines == ["info facecli.engines.mock task started attempt=1"]


def test_an_exception_is_summarized_in_its_record(recorded: Recorded) -> None:
    try:
        raise ValueError("no face")
    except ValueError:
        ENGINE.exception("swap failed")
    (line,) = recorded.lines
    assert line.startswith("error corner.model swap failed: ValueError: no face (at tests.")
    assert "Traceback" not in line
    assert __file__ not in line


def test_a_record_that_cannot_be_formatted_is_replaced(recorded: Recorded) -> None:
    class Hostile:
        def __str__(self) -> str:
            raise RuntimeError("no")

    raising = logging.raiseExceptions
    logging.raiseExceptions = False  # of the handlers of the test run
    ENGINE.info("%s", Hostile())
    ENGINE.info("%d", "two")
    logging.raiseExceptions = raising
    assert [re.sub(r":\d+:", ":N:", line) for line in recorded.lines] == [
        "info corner.model badly formatted log call at test_handler.py:N: '%s' raises RuntimeError",
        "info corner.model badly formatted log call at test_handler.py:N: '%d' raises TypeError",
    ]


def test_nothing_is_captured_after_the_run() -> None:
    recorded = Recorded()
    with captured(recorded.log):
        ENGINE.warning("during")
    ENGINE.warning("after")
    assert recorded.lines == ["warning corner.model during"]


def test_the_log_of_the_worker_keeps_its_own_level(capsys: pytest.CaptureFixture[str]) -> None:
    root, recorded = logging.getLogger(), Recorded()
    handlers, level = root.handlers[:], root.level
    set_up_logging(level="warning", format="text")
    with captured(recorded.log):
        ENGINE.info("for the owner")
        ENGINE.warning("for both")
    root.handlers[:] = handlers
    root.setLevel(level)
    assert recorded.lines == ["info corner.model for the owner", "warning corner.model for both"]
    (line,) = capsys.readouterr().err.splitlines()
    assert line.endswith("warning corner.model for both")
