"""What a database says of itself when it is asked whether it is whole."""

from collections import Counter
from collections.abc import Iterator

from sqlalchemy import Engine

from facecli.core.errors import StorageFailed
from facecli.metadata.database import reading


def complaints(engine: Engine) -> list[str]:
    """What is wrong with an SQLite file, in its own words. PostgreSQL has checks and tools of its own."""
    if engine.dialect.name != "sqlite":
        return []
    try:
        return list(_complaints(engine))
    except StorageFailed as error:
        return [error.message]


def _complaints(engine: Engine) -> Iterator[str]:
    with reading(engine) as connection:
        for (said,) in connection.exec_driver_sql("PRAGMA integrity_check"):
            if said != "ok":
                yield from said.splitlines()
        strays = Counter(
            (table, parent) for table, _, parent, _ in connection.exec_driver_sql("PRAGMA foreign_key_check")
        )
    for (table, parent), number in strays.items():
        yield f"{number} rows of {table} belong to no row of {parent}"
