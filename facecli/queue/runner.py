"""The durable queue as a worker sees it: work arrives, and arrives again after a death."""

import logging
from collections.abc import Callable
from contextlib import ExitStack

from dbos import DBOS

from facecli.core.periodic import run_periodically
from facecli.queue.client import APPLICATION_VERSION, QUEUE, SCHEMA, WORKFLOW, Errors, WorkQueue

POLL_EVERY = 0.2  # seconds; an idle worker then uses about 2 % of a core
LOOK_EVERY = 5.0  # seconds between two looks for work that was taken and never began
OF_DBOS = 5  # for the work, its steps, the queue's poll, the recovery at the start
OF_LOOKS = 1
CONNECTIONS = OF_DBOS + OF_LOOKS  # to PostgreSQL

_log = logging.getLogger(__name__)


class WorkRunner:
    """Runs one piece of work at a time, in a thread of its own, until `close`.

    `worker`, the id of this process, says whose work it is when it has died.
    """

    def __init__(
        self,
        url: str,
        *,
        worker: str,
        run: Callable[[str], None],
        errors: Errors,
        look_every: float = LOOK_EVERY,
    ) -> None:
        self._worker = worker
        self._running: dict[object, str] = {}
        self._unknown = set[str]()  # at the last look
        DBOS(
            config={
                "name": "facecli",
                "system_database_url": url,
                "dbos_system_schema": SCHEMA,
                "sys_db_pool_size": OF_DBOS,
                "use_listen_notify": False,  # nobody waits for messages, only a queue is polled
                "executor_id": worker,
                "application_version": APPLICATION_VERSION,
                "log_level": "ERROR",
                "run_migrations": False,
            }
        )

        @DBOS.workflow(name=WORKFLOW, max_recovery_attempts=None)
        def swap(task_id: str) -> None:
            this = object()
            self._running[this] = str(DBOS.workflow_id)
            try:
                run(task_id)
            finally:
                del self._running[this]

        with errors():
            DBOS.launch()
            DBOS.register_queue(
                QUEUE, worker_concurrency=1, polling_interval_sec=POLL_EVERY, on_conflict="always_update"
            )
        self._queue = WorkQueue(url, errors=errors, connections=OF_LOOKS)
        self._looking = ExitStack()
        self._looking.enter_context(run_periodically(look_every, self._look))

    def close(self) -> None:
        self._looking.close()
        self._queue.close()
        DBOS.destroy()

    def _look(self) -> None:
        """Give back what this worker has by the database's word, and knows nothing of at two looks.

        A database that goes away just then may have kept that work was taken, or not have kept its end. DBOS
        leaves both until the worker's next start: it tries again only on some of the ways to be away.
        """
        before, self._unknown = self._unknown, set()
        unknown = self._queue.held(self._worker) - set(self._running.copy().values())
        if lost := unknown & before:
            _log.warning("work that was taken and never began goes back: %s", ", ".join(sorted(lost)))
            self._queue.give_back(lost, worker=self._worker)
        self._unknown = unknown - lost
