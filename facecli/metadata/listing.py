"""Pagination of rows, and batches of ids."""

from collections.abc import Iterator, Sequence

from sqlalchemy import ColumnElement, Connection, RowMapping, Table, select, tuple_

from facecli.core.errors import InvalidInput

_BATCH = 1000  # ids in one statement; SQLite and PostgreSQL take about 32,000


def batches(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    """The ids in groups that fit into one statement."""
    return (ids[start : start + _BATCH] for start in range(0, len(ids), _BATCH))


def newest(
    connection: Connection,
    table: Table,
    owner: str,
    *wanted: ColumnElement[bool],
    limit: int,
    before: str,
) -> Sequence[RowMapping]:
    """A page of rows, newest first, after the row `before`; InvalidInput if the owner has no such row."""
    query, order = select(table).where(table.c.owner == owner), (table.c.created_at, table.c.id)
    if before:
        last = connection.execute(query.where(table.c.id == before)).mappings().first()
        if last is None:
            raise InvalidInput(f"there is no page after {before}; list from the beginning")
        query = query.where(tuple_(*order) < tuple_(last["created_at"], last["id"]))
    page = query.where(*wanted).order_by(*(column.desc() for column in order)).limit(limit)
    return connection.execute(page).mappings().all()
