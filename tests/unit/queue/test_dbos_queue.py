"""The durable queue, on real databases and with worker processes that are killed."""

import signal
from contextlib import closing

import psycopg
import pytest
from sqlalchemy import text

from facecli.core.errors import Unavailable
from facecli.metadata.database import open_database, translate_errors, writing
from facecli.metadata.database_url import postgresql_url
from facecli.queue.client import SCHEMA, DbosTaskQueue, migrate_queue
from tests.support.eventually import eventually
from tests.support.postgres import Postgres
from tests.support.tasks.queue_worker import Worker

pytestmark = pytest.mark.slow

LOCKED_FOR = 30.0  # seconds at most; the limit is 3, and the default of DBOS 60


def take(url: str, work_id: str, worker: str) -> None:
    """Record in the queue's database that a worker holds this work."""
    engine = open_database(url)
    table = f"{SCHEMA}.workflow_status" if engine.dialect.name == "postgresql" else "workflow_status"
    change = (
        f"UPDATE {table} SET status = 'PENDING', executor_id = :worker, started_at_epoch_ms = 1 "
        "WHERE workflow_uuid = :work"
    )
    with writing(engine) as connection:
        connection.execute(text(change), {"worker": worker, "work": work_id})
    engine.dispose()


def test_enqueueing_is_idempotent(url: str, queue: DbosTaskQueue) -> None:
    queue.enqueue(work_id="a.1", task_id="a", engine="mock")
    queue.enqueue(work_id="a.1", task_id="a", engine="mock")
    queue.enqueue(work_id="b.1", task_id="b", engine="mock")
    with Worker(url, "worker-1", "run") as worker:
        assert [worker.read_line() for _ in range(3)] == ["began a", "ended a", "began b"]


def test_work_of_a_dead_worker_goes_to_another(url: str, queue: DbosTaskQueue) -> None:
    queue.enqueue(work_id="a.1", task_id="a", engine="mock")
    with Worker(url, "worker-1", "hang") as dying:
        assert dying.read_line() == "began a"
        assert queue.holders() == {"worker-1"}
        dying.kill()
        queue.recover("worker-1")
        assert queue.holders() == set()
        with Worker(url, "worker-2", "run") as other:
            assert [other.read_line(), other.read_line()] == ["began a", "ended a"]


def test_missing_work_runs_again_after_it_is_forgotten_and_enqueued(url: str, queue: DbosTaskQueue) -> None:
    queue.enqueue(work_id="a.1", task_id="a", engine="mock")
    queue.enqueue(work_id="b.1", task_id="b", engine="mock")
    assert queue.missing(dict.fromkeys(["a.1", "b.1", "c.1"], "mock")) == {"c.1"}
    with Worker(url, "worker-1", "run") as worker:
        assert [worker.read_line() for _ in range(3)] == ["began a", "ended a", "began b"]
        assert queue.missing({"a.1": "mock"}) == {"a.1"}
        queue.forget(["a.1", "never.1"])
        queue.enqueue(work_id="a.1", task_id="a", engine="mock")
        assert [worker.read_line() for _ in range(3)] == ["ended b", "began a", "ended a"]


def test_a_late_recovery_leaves_work_with_its_current_worker(url: str, queue: DbosTaskQueue) -> None:
    queue.enqueue(work_id="a.1", task_id="a", engine="mock")
    with Worker(url, "worker-1", "hang") as worker:
        assert worker.read_line() == "began a"
        queue.requeue({"a.1"}, worker="worker-0")
        assert queue.held_by("worker-1") == {"a.1"}


def test_work_taken_but_never_started_is_requeued(url: str, queue: DbosTaskQueue) -> None:
    queue.enqueue(work_id="a.1", task_id="a", engine="mock")
    with Worker(url, "worker-1", "hang") as taking:
        assert taking.read_line() == "began a"
        queue.enqueue(work_id="b.1", task_id="b", engine="mock")
        # As if the database went away after it had recorded that worker-1 takes b, but before it answered.
        take(url, "b.1", "worker-1")
        with Worker(url, "worker-2", "run") as other:
            assert [other.read_line(), other.read_line()] == ["began b", "ended b"]
        assert queue.held_by("worker-1") == {"a.1"}


def test_a_worker_suspended_in_a_transaction_of_the_queue_loses_its_locks(postgresql: str) -> None:
    url = postgresql_url(postgresql)
    migrate_queue(url)
    with (
        psycopg.connect(postgresql, autocommit=True) as observer,
        closing(DbosTaskQueue(url, errors=translate_errors)) as queue,
        Worker(url, "worker-1", "run") as worker,
    ):
        queue.enqueue(work_id="a.1", task_id="a", engine="mock")
        assert [worker.read_line(), worker.read_line()] == ["began a", "ended a"]
        query = (
            "SELECT pid FROM pg_stat_activity "
            "WHERE datname = current_database() AND state = 'idle in transaction'"
        )

        def suspend_within() -> list[tuple[int]]:
            worker.send(signal.SIGSTOP)
            within = observer.execute(query).fetchall()
            # A statement that still ran may have been the last of its transaction.
            if not within or observer.execute(query).fetchall() != within:
                worker.send(signal.SIGCONT)
                return []
            return within

        eventually(suspend_within)
        eventually(lambda: not observer.execute(query).fetchall(), within=LOCKED_FOR)
        worker.send(signal.SIGCONT)
        queue.enqueue(work_id="b.1", task_id="b", engine="mock")
        assert [worker.read_line(), worker.read_line()] == ["began b", "ended b"]


def test_recovering_a_worker_that_holds_nothing_is_harmless(queue: DbosTaskQueue) -> None:
    queue.recover("worker-9")
    assert queue.holders() == set()


@pytest.mark.parametrize("transport", ["socket", "tcp"])
def test_without_its_database_the_queue_fails_at_once_and_then_recovers(
    postgres: Postgres, transport: str
) -> None:
    postgresql = postgres.new_database(over=transport)
    migrate_queue(postgresql)
    queue = DbosTaskQueue(postgresql, errors=translate_errors)
    queue.enqueue(work_id="a.1", task_id="a", engine="mock")
    postgres.stop()
    for call in (
        lambda: queue.enqueue(work_id="b.1", task_id="b", engine="mock"),
        queue.holders,
        lambda: queue.recover("worker-1"),
    ):
        with pytest.raises(Unavailable):
            call()
    postgres.start()
    queue.enqueue(work_id="b.1", task_id="b", engine="mock")
    with Worker(postgresql, "worker-1", "run") as worker:
        assert [worker.read_line() for _ in range(4)][1::2] == ["ended a", "ended b"]
    queue.close()


@pytest.mark.parametrize("transport", ["socket", "tcp"])
def test_work_that_ends_during_a_database_outage_is_done_afterwards(
    postgres: Postgres, transport: str
) -> None:
    postgresql = postgres.new_database(over=transport)
    migrate_queue(postgresql)
    queue = DbosTaskQueue(postgresql, errors=translate_errors)
    queue.enqueue(work_id="a.1", task_id="a", engine="mock")
    with Worker(postgresql, "worker-1", "wait") as worker:
        assert worker.read_line() == "began a"
        postgres.stop()
        worker.proceed()
        postgres.start()
        while (line := worker.read_line()) != "ended a":
            assert line == "began a"
        queue.enqueue(work_id="b.1", task_id="b", engine="mock")
        # Until its end is recorded, work may be delivered again.
        while (line := worker.read_line()) != "began b":
            assert line in {"began a", "ended a"}
        assert worker.read_line() == "ended b"
    queue.close()
