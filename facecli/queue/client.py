"""DbosTaskQueue: the durable queue for servers and for recovery, on DBOS with a database of its own.

Every engine has a queue of DBOS; a worker listens to those of the engines that it runs.
"""

import sqlite3
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, closing
from datetime import UTC, datetime
from pathlib import Path

from dbos import DBOS, DBOSClient, WorkflowStatus

from facecli.queue.file import check_queue

SQLITE = "sqlite:///"
APPLICATION = "facecli"
QUEUE = "tasks"  # before the name of the engine; alone it is the queue of earlier versions
WORKFLOW = "swap"
# Constant, so that an upgrade of facecli does not strand the work of the previous version.
APPLICATION_VERSION = "1"
CONNECTIONS = 5  # to PostgreSQL
SCHEMA = "facecli_queue"  # beside the schema of the metadata, where the database has schemas
_UNFINISHED = frozenset({"ENQUEUED", "DELAYED", "PENDING"})
# SQLite uses an index of DBOS for work that is held only if the status is written out in the statement, and
# would read all that waits. The condition keeps other statements of DBOS from using this one.
_HELD_INDEX = (
    "CREATE INDEX IF NOT EXISTS facecli_workflow_status_held ON workflow_status (status, executor_id) "
    "WHERE started_at_epoch_ms IS NOT NULL"
)
# Since then: for all work that was ever taken. DBOS writes the time in the statement that takes the work.
_DEQUEUED = datetime.fromtimestamp(0, UTC).isoformat()
_BATCH = 1000  # ids in one statement
_ENDED_BATCH = 250  # pieces of work in one transaction, for which SQLite keeps other writers waiting

Errors = Callable[[], AbstractContextManager[None]]


def migrate_queue(url: str) -> None:
    """Create or migrate the queue's database, before clients and workers open it.

    StorageFailed for a damaged SQLite file.
    """
    if url.startswith(SQLITE):
        file = Path(url.removeprefix(SQLITE))
        check_queue(file)
        with closing(sqlite3.connect(file)) as connection:
            connection.execute("PRAGMA journal_mode=WAL")
    DBOS.migrate(url, schema=SCHEMA)
    if url.startswith(SQLITE):
        with closing(sqlite3.connect(Path(url.removeprefix(SQLITE)))) as connection:
            connection.execute(_HELD_INDEX)


def queue_name(engine: str) -> str:
    """The name of the engine's queue."""
    return f"{QUEUE}/{engine}"


class DbosTaskQueue:
    """A TaskQueue on DBOS. `errors` makes a context manager that translates database errors."""

    def __init__(self, url: str, *, errors: Errors, connections: int = CONNECTIONS) -> None:
        self._errors = errors
        with errors():
            # No retries here: the caller knows how long it can wait.
            self._client = DBOSClient(
                system_database_url=url,
                system_database_pool_size=connections,
                dbos_system_schema=SCHEMA,
                retry_connection_errors=False,
            )

    def register(self, engines: Iterable[str], *, poll_interval: float) -> None:
        """Register the queues of engines for workers that run one piece of work at a time.

        To be called before a worker starts: DBOS looks for new queues only once a second.
        """
        with self._errors():
            for engine in engines:
                self._client.register_queue(
                    queue_name(engine),
                    worker_concurrency=1,
                    polling_interval_sec=poll_interval,
                    application_name=APPLICATION,
                )

    def enqueue(self, *, work_id: str, task_id: str, engine: str) -> None:
        with self._errors():
            self._client.enqueue(
                {
                    "workflow_name": WORKFLOW,
                    "queue_name": queue_name(engine),
                    "workflow_id": work_id,
                    "app_version": APPLICATION_VERSION,
                },
                task_id,
            )

    def holders(self) -> set[str]:
        return {status.executor_id for status in self._held() if status.executor_id}

    def recover(self, worker: str) -> None:
        self.requeue(self.held_by(worker), worker=worker)

    def held_by(self, worker: str) -> set[str]:
        """The ids of the work that this worker has taken and not finished."""
        return {status.workflow_id for status in self._held(worker)}

    def _held(self, worker: str | None = None) -> Sequence[WorkflowStatus]:
        with self._errors():
            return self._client.list_workflows(
                status="PENDING",
                executor_id=worker,
                dequeued_after=_DEQUEUED,
                load_input=False,
                load_output=False,
            )

    def requeue(self, work_ids: Collection[str], *, worker: str) -> None:
        """Return work to the queue if this worker holds it; do not touch work of another worker.

        This call is private to DBOS. The public `resume_workflows` ignores the holder: a late
        recovery would take the work away from its next worker. `reenqueue_for_recovery`, which DBOS's own
        recovery uses, checks the holder in the same statement. tests/unit/queue holds both properties.
        """
        with self._errors():
            for work_id in work_ids:
                self._client._sys_db.reenqueue_for_recovery(work_id, [worker], QUEUE)

    def missing(self, work: Mapping[str, str]) -> set[str]:
        work_ids, unfinished = list(work), set[tuple[str, str | None]]()
        for start in range(0, len(work_ids), _BATCH):
            batch = work_ids[start : start + _BATCH]
            with self._errors():
                known = self._client.list_workflows(workflow_ids=batch, load_input=False, load_output=False)
            unfinished |= {(one.workflow_id, one.queue_name) for one in known if one.status in _UNFINISHED}
        return {work_id for work_id, name in work.items() if (work_id, queue_name(name)) not in unfinished}

    def forget(self, work_ids: Sequence[str]) -> None:
        with self._errors():
            self._client.delete_workflows(list(work_ids))

    def forget_ended(self, *, before: float) -> int:
        until, number = datetime.fromtimestamp(before, UTC).isoformat(), 0
        while True:
            with self._errors():
                ended = self._client.list_workflows(
                    completed_before=until, limit=_ENDED_BATCH, load_input=False, load_output=False
                )
            self.forget([status.workflow_id for status in ended])
            number += len(ended)
            if len(ended) < _ENDED_BATCH:
                return number

    def close(self) -> None:
        self._client.destroy()
