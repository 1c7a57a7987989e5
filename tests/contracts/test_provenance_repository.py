"""The contract of provenance records: one with every completion, in a chain that shows every change."""

from collections.abc import Iterator
from functools import partial

import pytest
from sqlalchemy import Engine, delete, update

from facecli.core.errors import BytesDiffer, QuotaReached, TakenOver
from facecli.metadata import schema
from facecli.metadata.audit.provenance import SqlProvenanceRepository
from facecli.metadata.database import open_database, writing
from facecli.metadata.tables import provenance
from facecli.metadata.tasks import SqlTaskRepository
from facecli.tasks import transitions
from facecli.tasks.provenance.chain import verified
from facecli.tasks.task import TaskStatus
from tests.support.builders import NEW, RESULT, claim

COMPLETE = partial(transitions.complete, run="r1", result=RESULT)


@pytest.fixture
def engine(either_database: str) -> Iterator[Engine]:
    """A database with three tasks, which the run `r1` holds."""
    engine = open_database(either_database)
    schema.upgrade(engine)
    tasks = SqlTaskRepository(engine)
    for task_id in ("t1", "t2", "t3"):
        tasks.insert(NEW, task_id=task_id, now=100.0)
        claim(tasks, task_id)
    yield engine
    engine.dispose()


def complete(engine: Engine, task_id: str, record: str = "{}", *, run: str = "r1", room: int = 0) -> None:
    change = partial(COMPLETE, run=run)
    SqlTaskRepository(engine).change(task_id, change, now=102.0, max_stored=room, record=record)


def test_a_completion_that_fails_leaves_neither_a_result_nor_a_record(engine: Engine) -> None:
    records = SqlProvenanceRepository(engine)
    with pytest.raises(TakenOver):
        complete(engine, "t1", run="r2")
    with pytest.raises(QuotaReached):
        complete(engine, "t1", room=1)
    assert records.of_task("t1") is None
    assert SqlTaskRepository(engine).get("t1").status is TaskStatus.PROCESSING
    complete(engine, "t1", '{"ü": 1}', room=1000)
    found = records.of_task("t1")
    assert found
    assert (found.record, found.time, found.position) == ('{"ü": 1}', 102.0, 1)


def test_records_stay_in_their_chain_when_tasks_are_deleted(engine: Engine) -> None:
    for number, task_id in enumerate(("t2", "t1", "t3")):
        complete(engine, task_id, f'{{"n": {number}}}')
    tasks = SqlTaskRepository(engine)
    assert tasks.delete("t2", revision=tasks.get("t2").revision)
    records = list(verified(SqlProvenanceRepository(engine).all()))
    assert [record.task_id for record in records] == ["t2", "t1", "t3"]
    assert [record.previous for record in records[1:]] == [record.sha256 for record in records[:-1]]


@pytest.mark.parametrize("change", [delete(provenance), update(provenance).values(record="{ }")])
def test_a_record_that_was_changed_or_removed_shows(engine: Engine, change: object) -> None:
    for task_id in ("t1", "t2", "t3"):
        complete(engine, task_id)
    with writing(engine) as connection:
        connection.execute(change.where(provenance.c.position == 2))  # type: ignore[attr-defined]
    with pytest.raises(BytesDiffer, match="2"):
        list(verified(SqlProvenanceRepository(engine).all()))
