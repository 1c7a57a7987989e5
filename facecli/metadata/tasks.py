"""Tasks as rows."""

import math
from collections.abc import Iterator, Mapping, Sequence

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    RowMapping,
    delete,
    insert,
    select,
    tuple_,
    update,
)
from sqlalchemy.exc import IntegrityError

from facecli.core.errors import AlreadyExists, TaskNotFound
from facecli.metadata.changes import notify
from facecli.metadata.database import reading, writing
from facecli.metadata.listing import newest
from facecli.metadata.tables import tasks
from facecli.tasks.task import ENDED, Change, NewTask, Result, Task, TaskStatus
from facecli.tasks.task_filter import TaskFilter

_CHANGING = (
    *("status", "progress", "frames_done", "frames", "stage", "round", "attempt", "crashes", "run", "worker"),
    *("error_reason", "error_message"),
)
_RESULT = ("blob_key", "size", "crc32c")  # of a Result; the columns have `result_` in front
_BATCH = 1000  # ids in one statement; SQLite and PostgreSQL take about 32,000


class SqlTaskRepository:
    """TaskRepository in a database."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def insert(self, new: NewTask, *, task_id: str, now: float) -> Task:
        """The new task, or the one that has this owner and key already: the caller compares the two."""
        row = insert(tasks).values(
            id=task_id,
            owner=new.owner,
            status=TaskStatus.PENDING,
            progress=0,
            frames_done=0,
            frames=0,
            stage="",
            revision=1,
            round=1,
            attempt=0,
            run="",
            worker="",
            engine=new.engine,
            options=dict(new.options),
            image_id=new.image.id,
            video_id=new.video.id,
            image_url=new.image.file_url,
            video_url=new.video.file_url,
            key=new.key,
            error_reason="",
            error_message="",
            created_at=now,
            updated_at=now,
        )
        try:
            with writing(self._engine) as connection:
                return _task(connection.execute(row.returning(tasks)).mappings().one())
        except IntegrityError as error:
            existing = self.with_key(new.owner, new.key) if new.key is not None else None
            if existing is None:
                raise AlreadyExists(f"there is a task {task_id} already") from error
            return existing

    def with_key(self, owner: str, key: str) -> Task | None:
        """The one that has this key already."""
        query = select(tasks).where(tasks.c.owner == owner, tasks.c.key == key)
        with reading(self._engine) as connection:
            row = connection.execute(query).mappings().first()
        return _task(row) if row else None

    def get(self, task_id: str, *, owner: str | None = None) -> Task:
        """TaskNotFound when there is none, or none of this owner."""
        with reading(self._engine) as connection:
            return _found(connection, task_id, owner=owner)

    def listed(self, owner: str, wanted: TaskFilter, *, limit: int, before: str) -> Sequence[Task]:
        """Newest first; InvalidInput when `before` is not a task of this owner."""
        with reading(self._engine) as connection:
            rows = newest(connection, tasks, owner, *_conditions(wanted), limit=limit, before=before)
            return [_task(row) for row in rows]

    def change(self, task_id: str, change: Change, *, now: float) -> Task:
        """Read, change and write in one transaction, with the next revision; unchanged when equal."""
        with writing(self._engine) as connection:
            task = _found(connection, task_id, lock=True)
            changed = change(task)
            if changed == task:
                return task
            values = {name: getattr(changed, name) for name in _CHANGING}
            for name in _RESULT:
                values[f"result_{name}"] = getattr(changed.result, name, None)
            write = update(tasks).where(tasks.c.id == task_id).values(values)
            write = write.values(revision=task.revision + 1, updated_at=now)
            notify(connection)
            return _task(connection.execute(write.returning(tasks)).mappings().one())

    def with_status(self, status: TaskStatus) -> Sequence[Task]:
        """The oldest first."""
        query = select(tasks).where(tasks.c.status == status).order_by(tasks.c.created_at, tasks.c.id)
        with reading(self._engine) as connection:
            return [_task(row) for row in connection.execute(query).mappings()]

    def ended(self, *, before: float, after: Task | None = None) -> Sequence[Task]:
        """Those that ended before, the oldest first, not all if they are many; the next ones `after` it."""
        over = select(tasks).where(tasks.c.status.in_(ENDED), tasks.c.updated_at < before)
        order = tuple_(tasks.c.updated_at, tasks.c.id)
        if after:
            over = over.where(order > tuple_(after.updated_at, after.id))
        with reading(self._engine) as connection:
            found = connection.execute(over.order_by(tasks.c.updated_at, tasks.c.id).limit(_BATCH))
            return [_task(row) for row in found.mappings()]

    def delete(self, task_id: str, *, revision: int) -> bool:
        """Forget an ended task; False when it is not there, not ended, or not at this revision any more."""
        forgetting = delete(tasks).where(
            tasks.c.id == task_id, tasks.c.revision == revision, tasks.c.status.in_(ENDED)
        )
        with writing(self._engine) as connection:
            return bool(connection.execute(forgetting).rowcount)

    def newer(self, revisions: Mapping[str, int]) -> Sequence[Task]:
        """Of these tasks, the ones whose revision is above the given one; only their rows are read whole."""
        ids = list(revisions)
        with reading(self._engine) as connection:
            return [
                task
                for start in range(0, len(ids), _BATCH)
                for task in _newer(connection, revisions, ids[start : start + _BATCH])
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


def _newer(connection: Connection, revisions: Mapping[str, int], ids: list[str]) -> list[Task]:
    known = connection.execute(select(tasks.c.id, tasks.c.revision).where(tasks.c.id.in_(ids)))
    changed = [task_id for task_id, revision in known if revision > revisions[task_id]]
    if not changed:
        return []
    return [_task(row) for row in connection.execute(select(tasks).where(tasks.c.id.in_(changed))).mappings()]


def _found(connection: Connection, task_id: str, *, owner: str | None = None, lock: bool = False) -> Task:
    query = select(tasks).where(tasks.c.id == task_id)
    if owner is not None:
        query = query.where(tasks.c.owner == owner)
    row = connection.execute(query.with_for_update() if lock else query).mappings().first()
    if row is None:
        raise TaskNotFound(f"there is no task {task_id}")
    return _task(row)


def _task(row: RowMapping) -> Task:
    values = dict(row)
    result = {name: values.pop(f"result_{name}") for name in _RESULT}
    values["status"] = TaskStatus(row["status"])
    values["result"] = Result(**result) if result["blob_key"] else None
    return Task(**values)
