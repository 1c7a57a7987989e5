"""Nobody is declared dead for what the database did not let him do."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from facecli.core.errors import Unavailable
from facecli.metadata import schema
from facecli.metadata.database import open_database
from facecli.metadata.workers import SqlWorkerRows
from facecli.tasks.leases import LOOKS, Leases, Worker

LIVING = Worker(id="living-1", name="living", place="here", pid=1)
DEAD = Worker(id="dead-1", name="dead", place="here", pid=2)


@pytest.fixture
def rows(tmp_path: Path) -> Iterator[SqlWorkerRows]:
    """In a database that keeps nobody waiting who finds it locked."""
    engine = open_database(f"sqlite:///{tmp_path}/facecli.db", busy_timeout=0.01)
    schema.upgrade(engine)
    yield SqlWorkerRows(engine)
    engine.dispose()


def test_while_nobody_can_beat_no_look_counts_and_afterwards_the_dead_are_found(
    rows: SqlWorkerRows, tmp_path: Path
) -> None:
    leases = Leases(rows)
    rows.beat(LIVING)
    rows.beat(DEAD)
    assert leases.over() == []
    with closing(sqlite3.connect(tmp_path / "facecli.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        for _ in range(2 * LOOKS):
            with pytest.raises(Unavailable):
                rows.beat(LIVING)
            with pytest.raises(Unavailable):
                assert leases.over() == []
                assert leases.over() == []
    found = []
    for _ in range(LOOKS + 1):
        found += leases.over()
        rows.beat(LIVING)
    assert found == [DEAD.id]
