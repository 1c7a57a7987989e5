"""Leases do not expire while the database accepts no heartbeat."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from facecli.core.errors import Unavailable
from facecli.metadata import schema
from facecli.metadata.database import open_database
from facecli.metadata.workers import SqlWorkerRepository
from facecli.tasks.leases import MISSED_HEARTBEATS, Leases, Worker

LIVING = Worker(id="living-1", name="living", data_dir_id="here", pid=1)
DEAD = Worker(id="dead-1", name="dead", data_dir_id="here", pid=2)


@pytest.fixture
def repository(tmp_path: Path) -> Iterator[SqlWorkerRepository]:
    """A repository whose database fails at once when it is locked."""
    engine = open_database(f"sqlite:///{tmp_path}/facecli.db", busy_timeout=0.01)
    schema.upgrade(engine)
    yield SqlWorkerRepository(engine)
    engine.dispose()


def test_no_lease_expires_while_heartbeats_cannot_be_written(
    repository: SqlWorkerRepository, tmp_path: Path
) -> None:
    leases = Leases(repository)
    repository.heartbeat(LIVING)
    repository.heartbeat(DEAD)
    assert leases.expired() == []
    with closing(sqlite3.connect(tmp_path / "facecli.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        for _ in range(2 * MISSED_HEARTBEATS):
            with pytest.raises(Unavailable):
                repository.heartbeat(LIVING)
            with pytest.raises(Unavailable):
                assert leases.expired() == []
                assert leases.expired() == []
    expired = []
    for _ in range(MISSED_HEARTBEATS + 1):
        expired += leases.expired()
        repository.heartbeat(LIVING)
    assert expired == [DEAD.id]
