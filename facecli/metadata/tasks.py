"""SqlTaskRepository: tasks as database rows."""

import math
from collections.abc import Collection, Iterator, Mapping, Sequence

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    Update,
    delete,
    insert,
    select,
    tuple_,
    update,
)
from sqlalchemy.exc import IntegrityError

from facecli.core.errors import AlreadyExists, TaskNotFound
from facecli.metadata.audit.provenance import append_record
from facecli.metadata.changes import notification
from facecli.metadata.content.task_row import row_of, task_of
from facecli.metadata.database import autocommitting, reading, writing
from facecli.metadata.listing import batches, newest
from facecli.metadata.tables import tasks
from facecli.metadata.task_records.turns import newest_turn, turn_of_change
from facecli.metadata.usage import check_room, check_usage, lock_usage, stored_by
from facecli.tasks.repository import PendingWork
from facecli.tasks.selection import NEWEST, TaskSelection, TaskState
from facecli.tasks.task import ENDED, UNFINISHED, NewTask, Task, TaskFilter, TaskStatus
from facecli.tasks.transitions import Change
from facecli.uploads.quota import Admit

_FIXED = frozenset(
    {
        *("id", "owner", "engine", "options", "part_start", "part_end", "key", "labels", "terms"),
        *("priority", "turn"),
        *("image_id", "video_id", "image_url", "video_url"),
    }
)
_PAGE = 1000  # rows of a page


class SqlTaskRepository:
    """TaskRepository in a database."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def insert(self, new: NewTask, *, task_id: str, now: float, admit: Admit | None = None) -> Task:
        values = row_of(Task.new(new, task_id=task_id, now=now)) | {"turn": newest_turn()}
        row = insert(tasks).values(values)
        try:
            opened = writing if new.fresh or admit else autocommitting  # one statement, or several
            with opened(self._engine) as connection:
                check_usage(connection, {new.owner}, admit)
                if new.fresh:
                    connection.execute(_release_key(new))
                stored = row.returning(tasks, *notification(self._engine))
                return task_of(connection.execute(stored).mappings().one())
        except IntegrityError as error:  # of the unique (owner, key): idempotency, also in a race
            existing = self.with_key(new.owner, new.key) if new.key is not None else None
            if existing is None:
                raise AlreadyExists(f"task {task_id} exists already") from error
            return existing

    def with_key(self, owner: str, key: str) -> Task | None:
        query = select(tasks).where(tasks.c.owner == owner, tasks.c.key == key)
        with reading(self._engine) as connection:
            row = connection.execute(query).mappings().first()
        return task_of(row) if row else None

    def find(self, owner: str, reference: str, *, limit: int) -> Sequence[Task]:
        # An id is hexadecimal, so in every collation those that begin with a reference sort before `g` there.
        # `owner || ''`, because SQLite would prefer an index of the owner to that of the id.
        query = select(tasks.c.id, tasks.c.created_at)
        near = query.where(tasks.c.id >= reference, tasks.c.id < f"{reference}g")
        begins = tasks.c.id.startswith(reference, autoescape=True)
        own = near.where(begins, tasks.c.owner.concat("") == owner)
        both = own.union(query.where(tasks.c.owner == owner, tasks.c.key == reference)).subquery()
        newest_first = both.c.created_at.desc()
        with reading(self._engine) as connection:
            ids = connection.execute(select(both.c.id).order_by(newest_first).limit(limit)).scalars().all()
            rows = connection.execute(select(tasks).where(tasks.c.id.in_(ids))).mappings()
            found = {row["id"]: task_of(row) for row in rows}
        return [found[task_id] for task_id in ids]

    def get(self, task_id: str, *, owner: str | None = None) -> Task:
        with reading(self._engine) as connection:
            return _found(connection, task_id, owner=owner)

    def listed(self, owner: str, wanted: TaskFilter, *, limit: int, before: str) -> Sequence[Task]:
        with reading(self._engine) as connection:
            rows = newest(connection, tasks, owner, *_conditions(wanted), limit=limit, before=before)
            return [task_of(row) for row in rows]

    def change(
        self,
        task_id: str,
        change: Change,
        *,
        now: float,
        max_stored: int = 0,
        record: str = "",
        admit: Admit | None = None,
    ) -> Task:
        if record or admit or (max_stored and self._engine.dialect.name == "postgresql"):
            with writing(self._engine) as connection:
                if max_stored:
                    lock_usage(connection, _found(connection, task_id).owner)
                elif admit:
                    check_usage(connection, {_found(connection, task_id).owner}, admit)
                task = self._change(connection, task_id, change, now=now, max_stored=max_stored)
                if record:
                    append_record(connection, task_id, record, now=now)
                return task
        # Compare and swap by the revision: a transaction with a locked row would keep it locked while this
        # process is suspended, and nobody could recover the task.
        with autocommitting(self._engine) as connection:
            return self._change(connection, task_id, change, now=now, max_stored=max_stored)

    def _change(
        self, connection: Connection, task_id: str, change: Change, *, now: float, max_stored: int
    ) -> Task:
        while True:
            task = _found(connection, task_id)
            changed = change(task)
            if changed == task:
                return task
            row = {name: value for name, value in row_of(changed).items() if name not in _FIXED}
            row |= turn_of_change(task, changed)
            write = (
                update(tasks)
                .where(tasks.c.id == task_id, tasks.c.revision == task.revision)
                .values({**row, "revision": task.revision + 1, "updated_at": now})
                .returning(tasks, *notification(self._engine))
            )
            if max_stored and changed.files and not task.files:
                size = sum(file.size for file in changed.files)
                check_room(connection, task.owner, size, limit=max_stored)
                write = write.where(stored_by(task.owner) + size <= max_stored)
            if stored := connection.execute(write).mappings().first():
                return task_of(stored)

    def pending(self) -> Sequence[PendingWork]:
        query = select(tasks.c.id, tasks.c.round, tasks.c.engine).where(tasks.c.status == TaskStatus.PENDING)
        with reading(self._engine) as connection:
            return [PendingWork(*row) for row in connection.execute(query)]

    def page(self, *, after: str) -> Sequence[Task]:
        query = select(tasks).where(tasks.c.id > after).order_by(tasks.c.id).limit(_PAGE)
        with reading(self._engine) as connection:
            return [task_of(row) for row in connection.execute(query).mappings()]

    def with_status(self, status: TaskStatus) -> Sequence[Task]:
        query = select(tasks).where(tasks.c.status == status).order_by(tasks.c.created_at, tasks.c.id)
        with reading(self._engine) as connection:
            return [task_of(row) for row in connection.execute(query).mappings()]

    def ended(self, *, before: float, after: Task | None = None) -> Sequence[Task]:
        # NOT IN, because an index of the status would lead to all ended tasks.
        ended = tasks.c.status.not_in(UNFINISHED)
        query = select(tasks).where(ended, tasks.c.updated_at < before)
        order = tuple_(tasks.c.updated_at, tasks.c.id)
        if after:
            query = query.where(order > tuple_(after.updated_at, after.id))
        with reading(self._engine) as connection:
            rows = connection.execute(query.order_by(tasks.c.updated_at, tasks.c.id).limit(_PAGE))
            return [task_of(row) for row in rows.mappings()]

    def delete(self, task_id: str, *, revision: int) -> bool:
        deletion = delete(tasks).where(
            tasks.c.id == task_id, tasks.c.revision == revision, tasks.c.status.in_(ENDED)
        )
        deleted = deletion.returning(tasks.c.id, *notification(self._engine))
        with autocommitting(self._engine) as connection:
            return connection.execute(deleted).first() is not None

    def newer(self, revisions: Mapping[str, int]) -> Sequence[Task]:
        ids = list(revisions)
        with reading(self._engine) as connection:
            return [task for batch in batches(ids) for task in _newer(connection, revisions, batch)]

    def states(self, selection: TaskSelection) -> Mapping[str, TaskState]:
        query = select(tasks.c.id, tasks.c.revision, tasks.c.status).where(tasks.c.owner == selection.owner)
        newest = query.order_by(tasks.c.created_at.desc(), tasks.c.id.desc()).limit(NEWEST)
        running = query.where(tasks.c.status.in_(UNFINISHED))
        queries = [newest, running] if selection.all else []
        queries += [query.where(tasks.c.id.in_(ids)) for ids in batches(sorted(selection.ids))]
        with reading(self._engine) as connection:
            return {
                task_id: TaskState(revision, status in ENDED)
                for each in queries
                for task_id, revision, status in connection.execute(each)
            }

    def several(self, ids: Collection[str], *, owner: str | None) -> Sequence[Task]:
        query = select(tasks) if owner is None else select(tasks).where(tasks.c.owner == owner)
        with reading(self._engine) as connection:
            return [
                task_of(row)
                for batch in batches(sorted(ids))
                for row in connection.execute(query.where(tasks.c.id.in_(batch))).mappings()
            ]


def _conditions(wanted: TaskFilter) -> Iterator[ColumnElement[bool]]:
    if wanted.status:
        yield tasks.c.status == wanted.status
    if wanted.engine:
        yield tasks.c.engine == wanted.engine
    if wanted.since > 0:
        yield tasks.c.created_at >= wanted.since
    if wanted.until < math.inf:
        yield tasks.c.created_at < wanted.until
    if wanted.result_crc32c is not None:
        yield tasks.c.result_crc32c == wanted.result_crc32c


def _release_key(new: NewTask) -> Update:
    """Take the idempotency key of a new task from the ended task that has it."""
    of_key = update(tasks).where(tasks.c.owner == new.owner, tasks.c.key == new.key)
    return of_key.where(tasks.c.status.in_(ENDED)).values(key=None)


def _newer(connection: Connection, revisions: Mapping[str, int], ids: Sequence[str]) -> list[Task]:
    known = connection.execute(select(tasks.c.id, tasks.c.revision).where(tasks.c.id.in_(ids)))
    changed = [task_id for task_id, revision in known if revision > revisions[task_id]]
    if not changed:
        return []
    return [
        task_of(row) for row in connection.execute(select(tasks).where(tasks.c.id.in_(changed))).mappings()
    ]


def _found(connection: Connection, task_id: str, *, owner: str | None = None) -> Task:
    query = select(tasks).where(tasks.c.id == task_id)
    if owner is not None:
        query = query.where(tasks.c.owner == owner)
    row = connection.execute(query).mappings().first()
    if row is None:
        raise TaskNotFound(f"there is no task {task_id}")
    return task_of(row)
