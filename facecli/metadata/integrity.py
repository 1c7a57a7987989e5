"""Integrity check of the database itself."""

from collections import Counter
from collections.abc import Iterator

from sqlalchemy import Engine

from facecli.core.errors import StorageFailed
from facecli.metadata.database import reading


def integrity_errors(engine: Engine) -> list[str]:
    """Defects of an SQLite file, as SQLite reports them; none for PostgreSQL, which has its own tools."""
    if engine.dialect.name != "sqlite":
        return []
    try:
        return list(_sqlite_errors(engine))
    except StorageFailed as error:
        return [error.message]


def _sqlite_errors(engine: Engine) -> Iterator[str]:
    with reading(engine) as connection:
        for (message,) in connection.exec_driver_sql("PRAGMA integrity_check"):
            if message != "ok":
                yield from message.splitlines()
        orphans = Counter(
            (table, parent) for table, _, parent, _ in connection.exec_driver_sql("PRAGMA foreign_key_check")
        )
    for (table, parent), number in orphans.items():
        yield f"{number} rows of {table} belong to no row of {parent}"
