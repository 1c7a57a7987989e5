"""Provenance records as database rows: a chain to which only completions of tasks append."""

from collections.abc import Iterator

from sqlalchemy import Connection, Engine, RowMapping, func, insert, select

from facecli.metadata.database import reading
from facecli.metadata.tables import provenance
from facecli.tasks.provenance.chain import FIRST_PREVIOUS, ChainedRecord, link

LOCK = 0x66616366  # id of the advisory lock of PostgreSQL: one record at a time
_BATCH = 500  # records


class SqlProvenanceRepository:
    """ProvenanceRepository in a database."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def of_task(self, task_id: str) -> ChainedRecord | None:
        query = select(provenance).where(provenance.c.task_id == task_id)
        with reading(self._engine) as connection:
            newest = query.order_by(provenance.c.position.desc()).limit(1)
            row = connection.execute(newest).mappings().first()
        return _record(row) if row else None

    def all(self) -> Iterator[ChainedRecord]:
        last = 0
        while True:
            query = select(provenance).where(provenance.c.position > last)
            with reading(self._engine) as connection:
                page = query.order_by(provenance.c.position).limit(_BATCH)
                records = [_record(row) for row in connection.execute(page).mappings()]
            yield from records
            if not records:
                return
            last = records[-1].position


def append_record(connection: Connection, task_id: str, record: str, *, now: float) -> None:
    """Append a record to the chain, in the transaction that completes its task."""
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(LOCK)))
    newest = select(provenance.c.position, provenance.c.sha256).order_by(provenance.c.position.desc())
    position, previous = connection.execute(newest.limit(1)).one_or_none() or (0, FIRST_PREVIOUS)
    row = {
        "position": position + 1,
        "task_id": task_id,
        "time": now,
        "record": record,
        "previous": previous,
        "sha256": link(previous, record),
    }
    connection.execute(insert(provenance).values(row))


def _record(row: RowMapping) -> ChainedRecord:
    return ChainedRecord(**row)
