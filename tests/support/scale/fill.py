"""Fills a database with generated rows: COPY on PostgreSQL, executemany on SQLite."""

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import asdict
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from sqlalchemy import JSON, Table

from facecli.metadata import schema
from facecli.metadata.database import open_database, translate_errors
from facecli.metadata.database_url import parse_url
from facecli.metadata.tables import chunks, provenance, task_logs, tasks, uploads, webhooks
from facecli.metadata.usage import SqlUsageRepository
from facecli.queue.client import SCHEMA, DbosTaskQueue, migrate_queue
from facecli.tasks.task import TaskStatus
from tests.support.scale.rows import ENGINES, Row, Scale

Insert = Callable[[Sequence[str], Iterable[Sequence[Any]]], None]
_BATCH = 50_000  # rows of a transaction of SQLite
_QUEUE_STATUS = {TaskStatus.PENDING: "ENQUEUED", TaskStatus.PROCESSING: "PENDING"}


def fill(url: str, scale: Scale, *, queue_url: str = "") -> None:
    """Create the tables and fill them, and those of the queue if it has a URL; gather statistics."""
    engine = open_database(url)
    schema.upgrade(engine)
    engine.dispose()
    for table, rows in (
        (uploads, map(asdict, scale.all_uploads())),
        (chunks, scale.chunks()),
        (tasks, scale.rows_of_tasks()),
        (task_logs, scale.task_logs()),
        (webhooks, scale.webhooks()),
        (provenance, scale.provenance()),
    ):
        _insert(url, table.name, _values(table, rows))
    engine = open_database(url)
    SqlUsageRepository(engine).compact()  # as a server does every minute
    engine.dispose()
    _analyze(url)
    if queue_url:
        fill_queue(queue_url, scale)


def fill_queue(url: str, scale: Scale) -> None:
    """Fill the tables of DBOS, with copies of a workflow that DBOS has stored.

    There is one for each task that has not ended, and for those that ended in the last minute.
    """
    migrate_queue(url)
    with closing(DbosTaskQueue(url, errors=translate_errors)) as queue:
        queue.register(ENGINES, poll_interval=1.0)
        queue.enqueue(work_id="template", task_id="t" * 32, engine=ENGINES[0])
        status, given = (_template(url, name) for name in ("workflow_status", "workflow_input"))
        queue.forget(["template"])
    _copy(url, "workflow_status", partial(_workflows, status, scale))
    _copy(
        url,
        "workflow_input",
        lambda: ({**given, "workflow_uuid": each.work_id} for each in scale.queued_tasks()),
    )
    _copy(url, "workflow_output", partial(_outputs, scale))
    _analyze(url)


def postgres_connection(url: str) -> psycopg.Connection:
    return psycopg.connect(url.replace("postgresql+psycopg://", "postgresql://"), autocommit=True)


def is_sqlite(url: str) -> bool:
    return parse_url(url).get_backend_name() == "sqlite"


def _workflows(template: Row, scale: Scale) -> Iterator[Row]:
    for each in scale.queued_tasks():
        created = int(1000 * each.created_at)
        row = {
            **template,
            "workflow_uuid": each.work_id,
            "queue_name": f"tasks/{each.engine}",
            "status": _QUEUE_STATUS.get(each.status, "SUCCESS"),
            "created_at": created,
            "updated_at": created,
        }
        if each.status is not TaskStatus.PENDING:
            row |= {"executor_id": each.worker or "worker-0", "started_at_epoch_ms": created}
        if each.ended:
            row |= {"completed_at": int(1000 * each.updated_at)}
        yield row


def _outputs(scale: Scale) -> Iterator[Row]:
    for each in scale.queued_tasks():
        if each.ended:
            at = int(1000 * each.updated_at)
            yield {
                "workflow_uuid": each.work_id,
                "output": "gAROLg==",
                "error": None,
                "retention_timestamp": at,
            }


def _template(url: str, table: str) -> Row:
    """A row of a table of the queue as the driver reads it."""
    if is_sqlite(url):
        with closing(sqlite3.connect(_file(url))) as file:
            file.row_factory = sqlite3.Row
            return dict(file.execute(f"SELECT * FROM {table}").fetchone())
    with closing(postgres_connection(url)) as connection:
        cursor = connection.execute(sql.SQL("SELECT * FROM {}").format(sql.Identifier(SCHEMA, table)))
        names = [column.name for column in cursor.description or ()]
        return dict(zip(names, cursor.fetchone() or (), strict=True))


def _copy(url: str, table: str, rows: Callable[[], Iterator[Row]]) -> None:
    names = list(next(rows(), ()))
    if names:
        _insert(url, table, (names, ([row[name] for name in names] for row in rows())), of_queue=True)


def _values(table: Table, rows: Iterable[Row]) -> tuple[Sequence[str], Iterable[Sequence[Any]]]:
    columns = [(column.name, isinstance(column.type, JSON)) for column in table.c]
    names = [name for name, _ in columns]
    return names, (
        [
            json.dumps(row[name]) if is_json and row[name] is not None else row[name]
            for name, is_json in columns
        ]
        for row in rows
    )


def _insert(
    url: str,
    table: str,
    content: tuple[Sequence[str], Iterable[Sequence[Any]]],
    *,
    of_queue: bool = False,
) -> None:
    names, rows = content
    if is_sqlite(url):
        quoted = ", ".join(f'"{name}"' for name in names)
        marks = ", ".join("?" * len(names))
        with closing(sqlite3.connect(_file(url), isolation_level=None)) as file:
            file.execute("PRAGMA synchronous=OFF")
            file.execute("PRAGMA cache_size=-2000000")  # kibibytes, for indexes of random ids
            remaining = iter(rows)
            while batch := list(islice(remaining, _BATCH)):
                file.execute("BEGIN")
                file.executemany(f"INSERT INTO {table} ({quoted}) VALUES ({marks})", batch)
                file.execute("COMMIT")
        return
    target = sql.Identifier(SCHEMA, table) if of_queue else sql.Identifier(table)
    columns = sql.SQL(", ").join(map(sql.Identifier, names))
    with (
        closing(postgres_connection(url)) as connection,
        connection.cursor() as cursor,
        cursor.copy(sql.SQL("COPY {} ({}) FROM STDIN").format(target, columns)) as copy,
    ):
        for row in rows:
            copy.write_row(row)


def _analyze(url: str) -> None:
    """Gather statistics, as the databases do by themselves in time; PostgreSQL's visibility map, too."""
    if is_sqlite(url):
        with closing(sqlite3.connect(_file(url), isolation_level=None)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return
    with closing(postgres_connection(url)) as connection:
        connection.execute("VACUUM ANALYZE")


def _file(url: str) -> Path:
    return Path(str(parse_url(url).database))
