"""Limits of PostgreSQL sessions: a suspended client keeps no lock for long, and no client waits forever."""

import os
import signal
from collections.abc import Iterator
from contextlib import closing

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import Engine, text, update

from facecli.core.errors import Unavailable
from facecli.metadata import schema
from facecli.metadata.database import open_database, reading, writing
from facecli.metadata.database_url import postgresql_url
from facecli.metadata.tables import tasks
from facecli.metadata.tasks import SqlTaskRepository
from facecli.tasks import transitions
from facecli.tasks.task import TaskStatus
from tests.support.builders import NEW
from tests.support.postgres import Postgres
from tests.unit.metadata.test_schema import finished, starting

# Each value is far above the limits, so that a slow machine fails no test, and below pytest's.
PATIENT = "-c lock_timeout=60000 -c statement_timeout=60000"
LIMITS = ("idle_in_transaction_session_timeout", "lock_timeout", "statement_timeout", "tcp_keepalives_idle")


@pytest.fixture
def engine(postgresql: str) -> Iterator[Engine]:
    engine = open_database(postgresql)
    schema.upgrade(engine)
    SqlTaskRepository(engine).insert(NEW, task_id="t1", now=1.0)
    yield engine
    engine.dispose()


@pytest.fixture
def postgres_over_tcp(postgres: Postgres) -> str:
    return postgres.new_database(over="tcp")


def limited(url: str, limit: str, milliseconds: int) -> str:
    """The URL with a limit of its sessions that a test need not wait for."""
    return f"{url}&options=-c%20{limit}%3D{milliseconds}"


def lock(connection: psycopg.Connection) -> None:
    connection.execute("SELECT 1 FROM tasks WHERE id = 't1' FOR UPDATE")


def test_a_writer_suspended_in_its_transaction_loses_the_lock(engine: Engine, postgresql: str) -> None:
    impatient = open_database(limited(postgresql, "idle_in_transaction_session_timeout", 1000))
    with pytest.raises(Unavailable, match="idle-in-transaction") as caught, writing(impatient) as suspended:
        suspended.execute(update(tasks).values(stage="held"))
        with psycopg.connect(postgresql, options=PATIENT) as other:
            lock(other)
    impatient.dispose()
    assert caught.value.retryable
    assert SqlTaskRepository(engine).get("t1").stage == ""


def test_a_change_of_a_task_whose_row_stays_locked_is_unavailable(engine: Engine, postgresql: str) -> None:
    impatient = open_database(limited(postgresql, "lock_timeout", 500))
    repository = SqlTaskRepository(impatient)
    with psycopg.connect(postgresql) as operator:
        lock(operator)
        with pytest.raises(Unavailable, match="lock timeout") as caught:
            repository.change("t1", transitions.cancel, now=2.0)
    assert caught.value.retryable
    assert repository.get("t1").status is TaskStatus.PENDING
    assert repository.change("t1", transitions.cancel, now=3.0).status is TaskStatus.CANCELLED
    impatient.dispose()


def test_a_statement_that_takes_too_long_is_unavailable(postgresql: str) -> None:
    engine = open_database(limited(postgresql, "statement_timeout", 50))
    with pytest.raises(Unavailable, match="statement timeout"), reading(engine) as connection:
        connection.execute(text("SELECT pg_sleep(600)"))
    engine.dispose()


@pytest.mark.parametrize("limit", LIMITS)
def test_every_limit_holds_in_every_client_unless_the_url_sets_another(
    limit: str, postgres_over_tcp: str
) -> None:
    show = sql.SQL("SHOW {}").format(sql.Identifier(limit))
    for url, expected in (
        (postgres_over_tcp, None),
        (f"{postgres_over_tcp}&options=-c%20{limit}%3D7000%20-c%20work_mem%3D2MB", 7),
    ):
        complete = postgresql_url(url)
        assert postgresql_url(complete) == complete
        with closing(psycopg.connect(complete)) as connection:
            (value,) = connection.execute(show).fetchone() or ("0",)
        assert value not in {"0", ""}
        assert expected is None or value.startswith(str(expected))


@pytest.mark.slow
def test_a_migration_that_is_suspended_does_not_stop_the_next_one(postgresql: str) -> None:
    with psycopg.connect(postgresql) as holder, psycopg.connect(postgresql, autocommit=True) as observer:
        holder.execute("SELECT pg_advisory_xact_lock(%s)", [schema.LOCK])
        (suspended,) = starting(postgresql, processes=1)
        waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
        while observer.execute(waiting).fetchone() == (0,):
            assert suspended.poll() is None
        os.kill(suspended.pid, signal.SIGSTOP)
    try:
        assert finished(starting(postgresql, processes=1)) == ["alembic"]
    finally:
        suspended.kill()
        suspended.communicate()
