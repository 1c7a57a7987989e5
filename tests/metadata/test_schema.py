"""The migrations lead to the tables, once, whoever comes first."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, inspect, text

from facecli.core.errors import InvalidInput
from facecli.metadata import schema
from facecli.metadata.database import open_database, writing
from facecli.metadata.tables import metadata

START = """
import sys
from facecli.metadata import schema
from facecli.metadata.database import open_database
engine = open_database(sys.argv[1])
schema.upgrade(engine)
engine.dispose()
print(*sorted(name for name in sys.modules if name == "alembic"))
"""


def start(url: str) -> "subprocess.Popen[str]":
    return subprocess.Popen([sys.executable, "-c", START, url], stdout=subprocess.PIPE, text=True)


def statements(engine: Engine) -> dict[str, str]:
    """The SQL of every table and index, as the database keeps it, but for line breaks."""
    with engine.connect() as connection:
        query = "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL AND name <> 'alembic_version'"
        return {row.name: " ".join(row.sql.split()) for row in connection.execute(text(query))}


@pytest.fixture
def created(tmp_path: Path) -> Iterator[Engine]:
    engine = open_database(f"sqlite:///{tmp_path}/created.db")
    metadata.create_all(engine)
    yield engine
    engine.dispose()


def test_the_migrated_tables_are_the_tables_of_the_code(engine: Engine, created: Engine) -> None:
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    assert statements(engine) == statements(created)


def test_the_newest_migration_is_the_one_the_code_knows() -> None:
    assert ScriptDirectory(str(schema.MIGRATIONS)).get_current_head() == schema.HEAD


def test_processes_that_start_at_once_migrate_once(url: str, created: Engine) -> None:
    starting = [start(url) for _ in range(4)]
    said = [process.communicate()[0].strip() for process in starting]
    assert [process.returncode for process in starting] == [0] * 4
    assert "alembic" in said
    engine = open_database(url)
    assert statements(engine) == statements(created)
    engine.dispose()


def test_a_database_that_is_up_to_date_costs_no_import_of_alembic(url: str, engine: Engine) -> None:
    assert start(url).communicate()[0].strip() == ""


def test_a_database_of_a_newer_facecli_is_refused_and_left_alone(engine: Engine) -> None:
    with writing(engine) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    before = statements(engine)
    with pytest.raises(InvalidInput, match="migrated by a newer facecli"):
        schema.upgrade(engine)
    assert statements(engine) == before


def test_a_migration_that_fails_leaves_nothing(url: str) -> None:
    engine = open_database(url)
    with writing(engine) as connection:
        connection.execute(text("CREATE TABLE tasks (id INTEGER)"))
    with pytest.raises(Exception, match="already exists"):
        schema.upgrade(engine)
    assert inspect(engine).get_table_names() == ["tasks"]
    engine.dispose()
