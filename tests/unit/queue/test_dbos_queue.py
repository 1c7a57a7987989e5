"""The durable queue, on real databases and with worker processes that are killed."""

import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing

import psycopg
import pytest
from dbos import DBOSClient
from sqlalchemy import text

from facecli.core.errors import Unavailable
from facecli.metadata.database import open_database, translate_errors, writing
from facecli.metadata.database_url import postgresql_url
from facecli.queue.client import (
    APPLICATION_VERSION,
    QUEUE,
    SCHEMA,
    WORKFLOW,
    DbosTaskQueue,
    migrate_queue,
)
from tests.support.eventually import eventually
from tests.support.postgres import Postgres

pytestmark = pytest.mark.slow

LOCKED_FOR = 30.0  # seconds at most; the limit is 3, and the default of DBOS 60


WORKER = """
import sys, threading
from facecli.core.errors import Unavailable
from facecli.metadata.database import translate_errors
from facecli.queue.runner import DbosTaskRunner

url, name, mode, *engines = sys.argv[1:]

def run(task_id):
    print("began", task_id, flush=True)
    if mode == "wait":
        sys.stdin.readline()
    if mode == "hang":
        threading.Event().wait()
    print("ended", task_id, flush=True)

DbosTaskRunner(
    url, worker=name, engines=engines, run=run, errors=translate_errors, reconcile_interval=2
)
threading.Event().wait()
"""


@pytest.fixture
def url(either_database: str) -> str:
    migrate_queue(either_database)
    return either_database


@pytest.fixture
def queue(url: str) -> Iterator[DbosTaskQueue]:
    queue = DbosTaskQueue(url, errors=translate_errors)
    yield queue
    queue.close()


class Worker:
    """A worker process that prints what it does."""

    def __init__(self, url: str, name: str, mode: str, engines: Sequence[str] = ("mock",)) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", WORKER, url, name, mode, *engines],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def read_line(self) -> str:
        assert self._process.stdout
        return self._process.stdout.readline().strip()

    def proceed(self) -> None:
        """Let a waiting worker go on."""
        assert self._process.stdin
        self._process.stdin.close()

    def send(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def __enter__(self) -> "Worker":
        return self

    def __exit__(self, *error: object) -> None:
        self.kill()
        assert self._process.stdin and self._process.stdout
        self._process.stdin.close()
        self._process.stdout.close()


def take(url: str, work_id: str, worker: str) -> None:
    """Record in the queue's database that a worker holds this work."""
    engine = open_database(url)
    table = f"{SCHEMA}.workflow_status" if engine.dialect.name == "postgresql" else "workflow_status"
    change = f"UPDATE {table} SET status = 'PENDING', executor_id = :worker WHERE workflow_uuid = :work"
    with writing(engine) as connection:
        connection.execute(text(change), {"worker": worker, "work": work_id})
    engine.dispose()


def test_enqueueing_is_idempotent(url: str, queue: DbosTaskQueue) -> None:
    queue.enqueue(work_id="a.1", task_id="a", engine="mock")
    queue.enqueue(work_id="a.1", task_id="a", engine="mock")
    queue.enqueue(work_id="b.1", task_id="b", engine="mock")
    with Worker(url, "worker-1", "run") as worker:
        assert [worker.read_line() for _ in range(3)] == ["began a", "ended a", "began b"]


def test_only_a_worker_that_runs_the_engine_gets_its_work(url: str, queue: DbosTaskQueue) -> None:
    queue.enqueue(work_id="a.1", task_id="a", engine="mesh")
    queue.enqueue(work_id="b.1", task_id="b", engine="mock")
    with Worker(url, "worker-1", "run", ["mock"]) as without_mesh:
        assert [without_mesh.read_line(), without_mesh.read_line()] == ["began b", "ended b"]
        assert queue.missing({"a.1": "mesh"}) == set()
    with Worker(url, "worker-2", "run", ["mesh"]) as with_mesh:
        assert [with_mesh.read_line(), with_mesh.read_line()] == ["began a", "ended a"]


def test_a_worker_leaves_work_of_its_other_engines_to_idle_workers(url: str, queue: DbosTaskQueue) -> None:
    queue.enqueue(work_id="a.1", task_id="a", engine="mesh")
    with Worker(url, "worker-1", "hang", ["mesh", "mock"]) as busy:
        assert busy.read_line() == "began a"
        queue.enqueue(work_id="b.1", task_id="b", engine="mock")
        with Worker(url, "worker-2", "run", ["mesh", "mock"]) as idle:
            assert [idle.read_line(), idle.read_line()] == ["began b", "ended b"]
        assert queue.held_by("worker-1") == {"a.1"}


def test_work_of_several_engines_runs_one_after_the_other(url: str, queue: DbosTaskQueue) -> None:
    engines = ["corner", "mesh", "mock"]
    for name in engines:
        queue.enqueue(work_id=f"{name}.1", task_id=name, engine=name)
    with Worker(url, "worker-1", "wait", engines) as worker:
        lines = [worker.read_line()]
        worker.proceed()
        lines += [worker.read_line() for _ in range(5)]
    began = [line.removeprefix("began ") for line in lines[::2]]
    assert sorted(began) == engines
    assert lines[1::2] == [f"ended {name}" for name in began]


def test_work_in_the_queue_of_earlier_versions_is_missing_and_enqueued_again(
    url: str, queue: DbosTaskQueue
) -> None:
    client = DBOSClient(system_database_url=url, dbos_system_schema=SCHEMA)
    client.enqueue(
        {
            "workflow_name": WORKFLOW,
            "queue_name": QUEUE,
            "workflow_id": "a.1",
            "app_version": APPLICATION_VERSION,
        },
        "a",
    )
    client.destroy()
    assert queue.missing({"a.1": "mock"}) == {"a.1"}
    queue.forget(["a.1"])
    queue.enqueue(work_id="a.1", task_id="a", engine="mock")
    assert queue.missing({"a.1": "mock"}) == set()
    with Worker(url, "worker-1", "run") as worker:
        assert worker.read_line() == "began a"


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
