"""The integrity check of the database."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from facecli.metadata import schema
from facecli.metadata.database import open_database
from facecli.metadata.integrity import integrity_errors


def errors(file: Path) -> list[str]:
    engine = open_database(f"sqlite:///{file}")
    try:
        return integrity_errors(engine)
    finally:
        engine.dispose()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "facecli.db"
    engine = open_database(f"sqlite:///{file}")
    schema.upgrade(engine)
    engine.dispose()
    assert errors(file) == []
    return file


def test_rows_without_a_parent_are_reported_together(file: Path) -> None:
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.executemany("INSERT INTO chunks VALUES ('gone', ?, 1, 1, 0)", [(0,), (1,)])
    assert errors(file) == ["2 rows of chunks belong to no row of uploads"]


def test_an_invalid_row_is_reported(file: Path) -> None:
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("PRAGMA ignore_check_constraints=ON")
        values = "'u1', 'key', 'ann', 'n', 'song', 1, 1, 1, 1, 'begun', 0, 0, 0, 0, 0, 0, 0"
        connection.execute(f"INSERT INTO uploads VALUES ({values})")
    assert errors(file) == ["CHECK constraint failed in uploads"]


def test_a_damaged_page_is_reported(file: Path) -> None:
    with closing(sqlite3.connect(file)) as connection, connection:
        ((page, size),) = connection.execute(
            "SELECT rootpage, page_size FROM sqlite_master, pragma_page_size WHERE name = 'ix_tasks_listed'"
        )
    with file.open("r+b") as raw:
        raw.seek((page - 1) * size)
        raw.write(b"\xff" * 100)
    assert errors(file)


def test_postgresql_is_not_checked(postgresql: str) -> None:
    engine = open_database(postgresql)
    assert integrity_errors(engine) == []
    engine.dispose()
