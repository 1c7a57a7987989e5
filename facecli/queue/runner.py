"""DbosTaskRunner: runs the work of the durable queue in a worker.

Theory of operation. DBOS polls the queue, records in its database that this worker has taken a piece of work,
and calls the workflow in a thread. If the database fails at the wrong moment, it can hold a record of work
that this process does not run: the work was taken and never started, or has ended. DBOS retries only some of
these failures. `_reconcile` therefore compares the recorded work with the running one, and requeues what is
missing at two consecutive checks; at a single one it may be about to start. Delivering twice is harmless,
because the claim on the task's row fences off the second run.

A worker listens to a queue for each of its engines, and DBOS limits the work of each queue alone. A worker
runs one task at a time all the same, because it captures what is logged meanwhile for the owner of the task:
`_ActiveWork` counts the work of every queue as that of each. If two queues deliver at the same moment, the
second piece of work waits; `_reconcile` requeues it for others when that takes long.
"""

import logging
import threading
from collections.abc import Callable, Collection
from contextlib import ExitStack

from dbos import DBOS
from dbos._core import ActiveWorkflowById

from facecli.core.periodic import run_periodically
from facecli.queue.client import (
    APPLICATION,
    APPLICATION_VERSION,
    SCHEMA,
    WORKFLOW,
    DbosTaskQueue,
    Errors,
    queue_name,
)
from facecli.queue.log import QueueLog
from facecli.queue.polls import Polls

POLL_INTERVAL = 0.2  # seconds
MAX_POLL_INTERVAL = 2.0  # seconds
POLLS = 50  # a second and queue, of all its workers
RECONCILE_INTERVAL = 5.0  # seconds between two checks for stranded work
DBOS_CONNECTIONS = 5  # for the work, its steps, the poll of the queue, and recovery at start
RECONCILE_CONNECTIONS = 1
CONNECTIONS = DBOS_CONNECTIONS + RECONCILE_CONNECTIONS  # to PostgreSQL

_log = logging.getLogger(__name__)


def poll_interval(workers: int) -> float:
    """Seconds between two polls of a queue by one of so many workers.

    The more workers poll it, the sooner one of the free ones looks; so each may poll less often.
    """
    return min(MAX_POLL_INTERVAL, max(POLL_INTERVAL, workers / POLLS))


class _ActiveWork(ActiveWorkflowById):
    """The running work of a worker, for which DBOS asks before it takes more from a queue.

    This replaces a private part of DBOS, which has no limit over several queues. tests/unit/queue holds it.
    """

    def count_for_queue(self, queue_name: str) -> int:
        return len(self.activeList())


class DbosTaskRunner:
    """Runs the work of some engines, one piece at a time, in a thread of its own, until `close`.

    `worker` is the id of this process, under which the queue records the work it holds. `workers` is the
    number of workers that live now; all of them take the interval of the one that was started last.
    """

    def __init__(
        self,
        url: str,
        *,
        worker: str,
        engines: Collection[str],
        run: Callable[[str], None],
        errors: Errors,
        workers: int = 1,
        reconcile_interval: float = RECONCILE_INTERVAL,
    ) -> None:
        self._worker = worker
        self._running: dict[object, str] = {}  # work ids by execution
        one_at_a_time = threading.Lock()
        self._suspects = set[str]()
        QueueLog(errors).install()
        dbos = DBOS(
            config={
                "name": APPLICATION,
                "system_database_url": url,
                "dbos_system_schema": SCHEMA,
                "sys_db_pool_size": DBOS_CONNECTIONS,
                "use_listen_notify": False,  # workflows exchange no messages, and the queue is polled
                "executor_id": worker,
                "application_version": APPLICATION_VERSION,
                "log_level": "ERROR",
                "run_migrations": False,
            }
        )

        @DBOS.workflow(name=WORKFLOW, max_recovery_attempts=None)
        def swap(task_id: str) -> None:
            with one_at_a_time:
                execution = object()
                self._running[execution] = str(DBOS.workflow_id)
                try:
                    run(task_id)
                finally:
                    del self._running[execution]

        self._queue = DbosTaskQueue(url, errors=errors, connections=RECONCILE_CONNECTIONS)
        self._queue.register(engines, poll_interval=poll_interval(workers))
        dbos._active_workflows_set = _ActiveWork()
        DBOS.listen_queues([queue_name(engine) for engine in engines])
        with errors():
            DBOS.launch()
        Polls(dbos._sys_db).install()
        self._reconciling = ExitStack()
        self._reconciling.enter_context(run_periodically(reconcile_interval, self._reconcile))

    def close(self) -> None:
        self._reconciling.close()
        self._queue.close()
        DBOS.destroy()

    def _reconcile(self) -> None:
        """Requeue work that was assigned to this worker, but not running, at two consecutive checks."""
        before, self._suspects = self._suspects, set()
        suspects = self._queue.held_by(self._worker) - set(self._running.copy().values())
        if stranded := suspects & before:
            _log.warning("work taken but never started; requeued", extra={"work": sorted(stranded)})
            self._queue.requeue(stranded, worker=self._worker)
        self._suspects = suspects - stranded
