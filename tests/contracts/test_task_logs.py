"""The contract of every TaskLogRepository: order, limit, fencing, and deletion with the task."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest
from sqlalchemy import Engine, event

from facecli.core.errors import FacecliError, TakenOver, Unavailable
from facecli.metadata import schema
from facecli.metadata.database import open_database
from facecli.metadata.task_logs import SqlTaskLogRepository
from facecli.metadata.tasks import SqlTaskRepository
from facecli.tasks import claims, transitions
from facecli.tasks.logs.record import MAX_LEVEL, MAX_LOGGER, MAX_RECORDS, MAX_TEXT, LogEntry
from facecli.tasks.logs.repository import TaskLogRepository
from facecli.tasks.repository import TaskRepository
from tests.support.builders import NEW, claim


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    engine: Engine
    tasks: TaskRepository
    logs: TaskLogRepository

    def texts(self, task_id: str = "t1") -> list[str]:
        return [record.text for record in self.logs.read(task_id).records]


@pytest.fixture
def opened(either_database: str) -> Iterator[Opened]:
    """A database with the task `t1`, which the run `r1` holds."""
    engine = open_database(either_database)
    schema.upgrade(engine)
    opened = Opened(engine=engine, tasks=SqlTaskRepository(engine), logs=SqlTaskLogRepository(engine))
    opened.tasks.insert(NEW, task_id="t1", now=100.0)
    claim(opened.tasks)
    yield opened
    engine.dispose()


def entries(*texts: object) -> list[LogEntry]:
    return [LogEntry(time=101.5, level="info", logger="engine", text=str(text)) for text in texts]


def test_records_come_back_in_order_with_their_attempt(opened: Opened) -> None:
    first = LogEntry(time=101.25, level="x" * MAX_LEVEL, logger="l" * MAX_LOGGER, text="😀" * MAX_TEXT)
    opened.logs.append("t1", [first, *entries("a")], run="r1", dropped=0)
    opened.tasks.change("t1", partial(claims.release, run="r1"), now=102.0)
    claim(opened.tasks, run="r2")
    opened.logs.append("t1", entries("b", "c"), run="r2", dropped=0)
    log = opened.logs.read("t1")
    stored = log.records[0]
    assert (stored.time, stored.level, stored.logger, stored.text) == (
        first.time,
        first.level,
        first.logger,
        first.text,
    )
    assert [record.text for record in log.records[1:]] == ["a", "b", "c"]
    assert [(record.round, record.attempt) for record in log.records] == [(1, 1), (1, 1), (1, 2), (1, 2)]
    assert log.dropped == 0


def test_the_newest_records_are_kept_and_the_others_counted(opened: Opened) -> None:
    for start in range(0, MAX_RECORDS + 60, 20):
        opened.logs.append("t1", entries(*range(start, start + 20)), run="r1", dropped=0)
    assert opened.texts() == [str(number) for number in range(60, MAX_RECORDS + 60)]
    assert opened.logs.read("t1").dropped == 60
    opened.logs.append("t1", entries(*range(MAX_RECORDS)), run="r1", dropped=5)
    assert opened.texts() == [str(number) for number in range(MAX_RECORDS)]
    assert opened.logs.read("t1").dropped == MAX_RECORDS + 60 + 5


def test_no_more_rows_than_the_limit_are_stored(opened: Opened) -> None:
    for _ in range(2):
        opened.logs.append("t1", entries(*range(MAX_RECORDS)), run="r1", dropped=0)
    with opened.engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM task_logs").scalar() == MAX_RECORDS


@pytest.mark.parametrize(
    "change",
    [
        transitions.cancel,
        partial(claims.release, run="r1"),
        partial(transitions.fail, run="r1", error=FacecliError("no face")),
    ],
    ids=["cancelled", "released", "failed"],
)
def test_a_run_that_does_not_hold_the_task_writes_nothing(opened: Opened, change: transitions.Change) -> None:
    with pytest.raises(TakenOver):
        opened.logs.append("t1", entries("of another run"), run="r2", dropped=0)
    opened.logs.append("t1", entries("held"), run="r1", dropped=0)
    opened.tasks.change("t1", change, now=102.0)
    for run in ("r1", ""):
        with pytest.raises(TakenOver):
            opened.logs.append("t1", entries("late"), run=run, dropped=0)
    assert opened.texts() == ["held"]


def test_a_run_that_another_one_replaced_writes_nothing(opened: Opened) -> None:
    opened.tasks.change("t1", partial(claims.release, run="r1"), now=102.0)
    claim(opened.tasks, run="r2")
    with pytest.raises(TakenOver):
        opened.logs.append("t1", entries("late"), run="r1", dropped=0)
    assert opened.texts() == []


def test_a_log_ends_with_its_task_and_no_other(opened: Opened) -> None:
    opened.tasks.insert(NEW, task_id="t2", now=100.0)
    claim(opened.tasks, "t2")
    for task_id in ("t1", "t2"):
        opened.logs.append(task_id, entries(task_id), run="r1", dropped=0)
    ended = opened.tasks.change("t1", transitions.cancel, now=102.0)
    assert opened.texts() == ["t1"]
    assert opened.tasks.delete("t1", revision=ended.revision)
    assert (opened.texts(), opened.texts("t2")) == ([], ["t2"])
    with pytest.raises(TakenOver):
        opened.logs.append("t1", entries("late"), run="r1", dropped=0)


def test_a_log_of_an_unknown_task_is_empty(opened: Opened) -> None:
    log = opened.logs.read("nobody")
    assert (log.records, log.dropped) == ([], 0)


def test_a_batch_is_one_statement(opened: Opened) -> None:
    ran: list[str] = []
    event.listen(opened.engine, "before_cursor_execute", lambda *call: ran.append(call[2]))
    opened.logs.append("t1", entries(*range(MAX_RECORDS)), run="r1", dropped=0)
    assert [sql.split()[0] for sql in ran if not sql.startswith("BEGIN")] in (["WITH"], ["INSERT"])


def test_entries_that_are_stored_count_as_stored_when_older_ones_cannot_be_deleted(opened: Opened) -> None:
    def refuse(*call: Any) -> None:
        if call[2].startswith("DELETE"):
            raise Unavailable("away")

    opened.logs.append("t1", entries(*range(MAX_RECORDS)), run="r1", dropped=0)
    event.listen(opened.engine, "before_cursor_execute", refuse)
    opened.logs.append("t1", entries("a"), run="r1", dropped=0)
    event.remove(opened.engine, "before_cursor_execute", refuse)
    assert (len(opened.texts()), opened.texts()[-1], opened.logs.read("t1").dropped) == (MAX_RECORDS, "a", 1)
    opened.logs.append("t1", entries("b"), run="r1", dropped=0)
    assert (len(opened.texts()), opened.texts()[-2:]) == (MAX_RECORDS, ["a", "b"])
