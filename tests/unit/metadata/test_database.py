"""Transactions, durability, and the translation of errors."""

import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import Engine, Update, text
from sqlalchemy.exc import IntegrityError

from facecli.core.errors import DiskFull, InvalidInput, StorageFailed, Unavailable
from facecli.metadata.database import CONNECTIONS, open_database, reading, writing
from facecli.metadata.tables import uploads
from facecli.metadata.uploads import SqlUploadRepository
from tests.support.upload_repository import insert


@pytest.mark.parametrize(
    ("pragma", "value"), [("journal_mode", "wal"), ("synchronous", 2), ("foreign_keys", 1)]
)
def test_every_connection_is_durable_and_checks_foreign_keys(
    engine: Engine, pragma: str, value: object
) -> None:
    with engine.connect() as first, engine.connect() as second:
        assert first.execute(text(f"PRAGMA {pragma}")).scalar() == value
        assert second.execute(text(f"PRAGMA {pragma}")).scalar() == value


@pytest.mark.parametrize("url", ["mysql://host/db", "nonsense", ""])
def test_another_kind_of_database_is_refused(url: str) -> None:
    with pytest.raises(InvalidInput):
        open_database(url)


def test_a_writer_that_reads_first_survives_concurrent_writes(either_engine: Engine) -> None:
    repository = SqlUploadRepository(either_engine)
    insert(repository)
    start = threading.Barrier(4)

    def claim(_: int) -> None:
        start.wait()
        for _ in range(10):
            repository.claim("u1", now=1, expires_at=2)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(claim, range(4)))
    assert repository.get("u1").epoch == 40


def test_a_locked_database_is_unavailable_for_writers_only(url: str, engine: Engine, tmp_path: Path) -> None:
    impatient = open_database(url, busy_timeout=0.01)
    other = sqlite3.connect(tmp_path / "facecli.db", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    repository = SqlUploadRepository(impatient)
    with pytest.raises(Unavailable, match="database is locked") as caught:
        insert(repository)
    assert caught.value.retryable
    assert repository.listed("ann", limit=9, before="") == []
    other.execute("COMMIT")
    insert(repository)
    other.close()
    impatient.dispose()


def test_a_database_that_cannot_be_opened_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="unable to open"):
        open_database(f"sqlite:///{tmp_path}/missing/facecli.db")


@pytest.mark.parametrize("limit", [CONNECTIONS, 4, 1])
def test_calls_beyond_the_connections_wait_then_fail(url: str, engine: Engine, limit: int) -> None:
    impatient = open_database(url, busy_timeout=0.01, connections=limit)
    connections = [impatient.connect() for _ in range(limit)]
    with pytest.raises(Unavailable, match="every connection"), reading(impatient):
        pass
    for connection in connections:
        connection.close()
    impatient.dispose()


def test_a_file_that_is_not_a_database_is_a_storage_failure(tmp_path: Path) -> None:
    (tmp_path / "facecli.db").write_bytes(b"not a database " * 1000)
    with pytest.raises(StorageFailed, match="not a database"):
        open_database(f"sqlite:///{tmp_path}/facecli.db")


def test_a_full_database_is_a_full_disk_and_recovers(engine: Engine) -> None:
    repository = SqlUploadRepository(engine)
    with reading(engine) as connection:
        connection.execute(text("PRAGMA max_page_count=1"))
    with pytest.raises(DiskFull) as caught:
        for number in range(1000):
            insert(repository, upload_id=f"u{number}")
    assert caught.value.retry_after > 0
    stored = len(repository.listed("ann", limit=1000, before=""))
    with reading(engine) as connection:
        connection.execute(text("PRAGMA max_page_count=100000"))
    insert(repository, upload_id="roomy")
    assert len(repository.listed("ann", limit=1000, before="")) == stored + 1


def test_a_failed_transaction_is_rolled_back(either_engine: Engine) -> None:
    repository = SqlUploadRepository(either_engine)
    insert(repository)
    with pytest.raises(ZeroDivisionError), writing(either_engine) as connection:
        connection.execute(uploads.delete())
        raise ZeroDivisionError
    assert repository.get("u1").id == "u1"


@pytest.mark.parametrize(
    "change",
    [
        uploads.update().values(status="lost"),
        uploads.update().values(status="completed"),
        uploads.update().values(stored_chunks=4),
        uploads.update().values(stored_bytes=26),
        uploads.update().values(file_type="text"),
    ],
)
def test_invalid_rows_are_refused_by_the_database(either_engine: Engine, change: Update) -> None:
    insert(SqlUploadRepository(either_engine))
    with pytest.raises(IntegrityError), writing(either_engine) as connection:
        connection.execute(change)
