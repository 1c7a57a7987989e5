"""The durable queue as its callers see it: DBOS on a database of its own."""

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, closing

from dbos import DBOS, DBOSClient

SQLITE = "sqlite:///"
QUEUE = "tasks"
WORKFLOW = "swap"
# Constant, so that an upgrade of facecli does not strand the work of the version before.
APPLICATION_VERSION = "1"
_RUNS = frozenset({"ENQUEUED", "DELAYED", "PENDING"})
CONNECTIONS = 5  # to PostgreSQL
_BATCH = 1000  # ids in one statement
SCHEMA = "facecli_queue"  # beside the rows' tables, where the database has schemas

Errors = Callable[[], AbstractContextManager[None]]


def prepare(url: str) -> None:
    """Create or migrate the queue's database. Once, before clients and workers open it."""
    if url.startswith(SQLITE):
        with closing(sqlite3.connect(url.removeprefix(SQLITE))) as connection:
            connection.execute("PRAGMA journal_mode=WAL")
    DBOS.migrate(url, schema=SCHEMA)


class WorkQueue:
    """Enqueues and recovers; `core.task_queue.TaskQueue`. `errors` makes the database's errors ours."""

    def __init__(self, url: str, *, errors: Errors, connections: int = CONNECTIONS) -> None:
        self._errors = errors
        with errors():
            # Without its own tries: whoever called knows how long it may wait.
            self._client = DBOSClient(
                system_database_url=url,
                system_database_pool_size=connections,
                dbos_system_schema=SCHEMA,
                retry_connection_errors=False,
            )

    def enqueue(self, *, work_id: str, task_id: str) -> None:
        with self._errors():
            self._client.enqueue(
                {
                    "workflow_name": WORKFLOW,
                    "queue_name": QUEUE,
                    "workflow_id": work_id,
                    "app_version": APPLICATION_VERSION,
                },
                task_id,
            )

    def holders(self) -> set[str]:
        with self._errors():
            held = self._client.list_workflows(status="PENDING", load_input=False, load_output=False)
        return {status.executor_id for status in held if status.executor_id}

    def recover(self, worker: str) -> None:
        self.give_back(self.held(worker), worker=worker)

    def held(self, worker: str) -> set[str]:
        """The ids of the work that it has taken and not ended."""
        with self._errors():
            held = self._client.list_workflows(
                status="PENDING", executor_id=worker, load_input=False, load_output=False
            )
        return {status.workflow_id for status in held}

    def give_back(self, work_ids: set[str], *, worker: str) -> None:
        """What this worker holds, to whichever comes first; what another has by now stays its own."""
        with self._errors():
            for work_id in work_ids:
                # resume_workflows would take it from the other, too.
                self._client._sys_db.reenqueue_for_recovery(work_id, [worker], QUEUE)

    def lost(self, work_ids: Sequence[str]) -> set[str]:
        runs = set[str]()
        for start in range(0, len(work_ids), _BATCH):
            batch = list(work_ids[start : start + _BATCH])
            with self._errors():
                found = self._client.list_workflows(workflow_ids=batch, load_input=False, load_output=False)
            runs |= {status.workflow_id for status in found if status.status in _RUNS}
        return set(work_ids) - runs

    def forget(self, work_ids: Sequence[str]) -> None:
        with self._errors():
            self._client.delete_workflows(list(work_ids))

    def close(self) -> None:
        self._client.destroy()
