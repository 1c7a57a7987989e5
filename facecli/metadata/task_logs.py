"""SqlTaskLogRepository: the log records of tasks as database rows."""

from collections.abc import Sequence
from contextlib import suppress

from sqlalchemy import (
    BigInteger,
    Double,
    Engine,
    Insert,
    Text,
    column,
    delete,
    func,
    insert,
    literal,
    select,
    values,
)
from sqlalchemy.exc import IntegrityError

from facecli.core.errors import DiskFull, TakenOver, Unavailable
from facecli.metadata.database import autocommitting, reading
from facecli.metadata.tables import task_logs, tasks
from facecli.tasks.logs.record import MAX_RECORDS, LogEntry, TaskLog, TaskLogRecord
from facecli.tasks.task import TaskStatus

_ENTRY = ("time", "level", "logger", "text")
_FIELDS = ("round", "attempt", *_ENTRY)


class SqlTaskLogRepository:
    """TaskLogRepository in a database.

    Positions of a task increase by one per record, also per dropped one, so that the highest position is the
    number of all records there ever were.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def append(self, task_id: str, entries: Sequence[LogEntry], *, run: str | None, dropped: int) -> None:
        if not entries:
            return
        # Each statement is a transaction of its own: no lock outlives it if this process is suspended.
        with autocommitting(self._engine) as connection:
            try:
                stored = connection.execute(_insertion(task_id, entries, run=run, dropped=dropped)).scalars()
                last = max(stored, default=0)
            except IntegrityError as error:  # the task was deleted, or another run wrote the same positions
                raise Unavailable(f"the log of task {task_id} changed meanwhile") from error
        if not last:
            raise TakenOver(f"task {task_id} is no longer held by this run")
        if last > MAX_RECORDS:
            beyond = task_logs.c.position <= last - MAX_RECORDS
            # The entries are stored: a failure here must not make the caller store them again.
            with suppress(Unavailable, DiskFull), autocommitting(self._engine) as connection:
                connection.execute(delete(task_logs).where(task_logs.c.task_id == task_id, beyond))

    def read(self, task_id: str) -> TaskLog:
        query = select(task_logs).where(task_logs.c.task_id == task_id)
        query = query.order_by(task_logs.c.position.desc()).limit(MAX_RECORDS)
        with reading(self._engine) as connection:
            rows = connection.execute(query).mappings().all()[::-1]
        records = [TaskLogRecord(**{name: row[name] for name in _FIELDS}) for row in rows]
        return TaskLog(records=records, dropped=rows[-1]["position"] - len(rows) if rows else 0)


def _insertion(task_id: str, entries: Sequence[LogEntry], *, run: str | None, dropped: int) -> Insert:
    """One statement that stores the entries if the run holds the task, and returns their positions."""
    kinds = (BigInteger, Double, Text, Text, Text)
    entry = values(
        *(column(name, kind) for name, kind in zip(("number", *_ENTRY), kinds, strict=True)), name="entry"
    ).data(
        [
            (number, *(getattr(each, name) for name in _ENTRY))
            for number, each in enumerate(entries, dropped + 1)
        ]
    )
    entry_rows = entry.cte("entry")
    last = select(func.coalesce(func.max(task_logs.c.position), 0)).where(task_logs.c.task_id == task_id)
    selected = (
        select(
            tasks.c.id,
            last.scalar_subquery() + entry_rows.c.number,
            tasks.c.round,
            tasks.c.attempt,
            *(entry_rows.c[name] for name in _ENTRY),
        )
        .select_from(tasks.join(entry_rows, literal(True)))
        .where(tasks.c.id == task_id)
    )
    if run is not None:
        selected = selected.where(tasks.c.run == run, tasks.c.status == TaskStatus.PROCESSING)
    names = ["task_id", "position", *_FIELDS]
    return insert(task_logs).from_select(names, selected).returning(task_logs.c.position)
