"""The statements for the tables of a new SQLite file: what all migrations together make.

Run `python -m tests.support.sqlite_tables` after a new migration to write them into the package.
"""

import tempfile
from pathlib import Path

from facecli.metadata.database import open_database, writing
from facecli.metadata.schema import HEAD, SEPARATOR, SQLITE_TABLES, run_migrations

_STATEMENTS = (
    "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL "
    "ORDER BY CASE type WHEN 'table' THEN 0 WHEN 'index' THEN 1 ELSE 2 END, rowid"
)


def sqlite_tables(file: Path) -> str:
    """The text of the file, from the migrations of a new database."""
    database = open_database(f"sqlite:///{file}")
    with writing(database) as connection:
        run_migrations(connection, None)
        statements = [str(row[0]) for row in connection.exec_driver_sql(_STATEMENTS)]
    database.dispose()
    statements.append(f"INSERT INTO alembic_version VALUES ('{HEAD}')")
    return SEPARATOR.join(statements) + "\n"


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        SQLITE_TABLES.write_text(sqlite_tables(Path(folder) / "new.db"), encoding="utf-8")
