"""Schema migrations: they produce the tables of the code, once, in any order of starts."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, inspect, text

from facecli.core.errors import InvalidInput
from facecli.metadata import schema
from facecli.metadata.database import open_database, writing
from facecli.metadata.tables import metadata
from tests.support.postgres import Postgres
from tests.support.sqlite_tables import sqlite_tables

START = """
import sys
from facecli.metadata import schema
from facecli.metadata.database import open_database
engine = open_database(sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()
schema.upgrade(engine)
engine.dispose()
print(*sorted(name for name in sys.modules if name == "alembic"))
"""


def starting(url: str, *, processes: int) -> list["subprocess.Popen[str]"]:
    """Start processes that all upgrade at the same moment."""
    command = [sys.executable, "-c", START, url]
    started = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(processes)
    ]
    for process in started:
        assert process.stdout and process.stdout.readline() == "ready\n"
    for process in started:
        assert process.stdin
        process.stdin.write("\n")
        process.stdin.flush()
    return started


def finished(processes: list["subprocess.Popen[str]"]) -> list[str]:
    """The alembic modules that each process imported; none may have failed."""
    imports = [process.communicate()[0].strip() for process in processes]
    assert [process.returncode for process in processes] == [0] * len(processes)
    return imports


STATEMENTS = {
    "sqlite": """
        SELECT name, sql FROM sqlite_master
        WHERE sql IS NOT NULL AND name <> 'alembic_version' AND type <> 'trigger'
    """,
    "postgresql": """
        SELECT indexname AS name, indexdef AS sql FROM pg_indexes
        WHERE schemaname = 'public' AND tablename <> 'alembic_version'
        UNION SELECT conrelid::regclass || ' ' || conname, pg_get_constraintdef(oid) FROM pg_constraint
        WHERE connamespace = 'public'::regnamespace AND conname NOT LIKE 'alembic%'
        UNION SELECT table_name || ' ' || column_name,
            concat(ordinal_position, udt_name, character_maximum_length, is_nullable, column_default)
        FROM information_schema.columns WHERE table_schema = 'public' AND table_name <> 'alembic_version'
    """,
}


def statements(engine: Engine) -> dict[str, str]:
    """The definitions of all tables, columns, constraints and indexes, without line breaks."""
    with engine.connect() as connection:
        rows = connection.execute(text(STATEMENTS[engine.dialect.name]))
        return {row.name: " ".join(row.sql.split()) for row in rows}


@pytest.fixture
def url(either_database: str) -> str:
    return either_database


@pytest.fixture
def created(url: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Engine]:
    """A database created from the code, without migrations."""
    if url.startswith("sqlite"):
        engine = open_database(f"sqlite:///{tmp_path}/created.db")
    else:
        postgres: Postgres = request.getfixturevalue("postgres")
        engine = open_database(postgres.new_database())
    metadata.create_all(engine)
    yield engine
    engine.dispose()


def test_the_migrated_tables_are_the_tables_of_the_code(engine: Engine, created: Engine) -> None:
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    assert statements(engine) == statements(created)


def test_a_new_sqlite_file_gets_what_all_migrations_make(tmp_path: Path) -> None:
    written = schema.SQLITE_TABLES.read_text(encoding="utf-8")
    assert written == sqlite_tables(tmp_path / "new.db"), "python -m tests.support.sqlite_tables"


def test_the_newest_migration_is_the_one_the_code_knows() -> None:
    assert ScriptDirectory(str(schema.MIGRATIONS)).get_current_head() == schema.HEAD


def test_processes_that_start_together_migrate_once(url: str, created: Engine) -> None:
    migrated = finished(starting(url, processes=4))
    if url.startswith("sqlite"):
        assert migrated == [""] * 4  # a new file needs no migrations
    else:
        assert "alembic" in migrated
    engine = open_database(url)
    assert statements(engine) == statements(created)
    engine.dispose()


def test_a_concurrent_migration_is_waited_for_and_not_repeated(postgresql: str) -> None:
    engine = open_database(postgresql)
    waiting = text(
        "SELECT count(*) FROM pg_locks, pg_sleep(0.05) WHERE locktype = 'advisory' AND NOT granted"
    )
    with psycopg.connect(postgresql) as migrating:
        migrating.execute("SELECT pg_advisory_xact_lock(%s)", [schema.LOCK])
        others = starting(postgresql, processes=2)
        with engine.connect() as observer:
            while observer.execute(waiting).scalar() != len(others):
                assert [other.poll() for other in others] == [None, None]
    assert sorted(finished(others)) == ["", "alembic"]
    engine.dispose()


def test_a_database_that_is_up_to_date_costs_no_import_of_alembic(url: str, engine: Engine) -> None:
    assert finished(starting(url, processes=1)) == [""]


def test_a_database_of_a_newer_facecli_is_refused_and_unchanged(engine: Engine) -> None:
    with writing(engine) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    before = statements(engine)
    with pytest.raises(InvalidInput, match="migrated by a newer facecli"):
        schema.upgrade(engine)
    with pytest.raises(InvalidInput, match=r"has schema 9999.*install the newer facecli"):
        schema.check(engine)
    assert statements(engine) == before


def test_a_failed_migration_leaves_no_trace(url: str) -> None:
    engine = open_database(url)
    with writing(engine) as connection:
        connection.execute(text("CREATE TABLE tasks (id INTEGER)"))
    with pytest.raises(Exception, match="already exists"):
        schema.upgrade(engine)
    assert inspect(engine).get_table_names() == ["tasks"]
    engine.dispose()
