"""The durable queue as a worker sees it: work arrives, its finished steps are kept."""

from collections.abc import Callable

from dbos import DBOS

from facecli.core.swapping import Step
from facecli.queue.work import APPLICATION_VERSION, QUEUE, SCHEMA, WORKFLOW

POLL_EVERY = 0.2  # seconds; an idle worker then uses about 2 % of a core
CONNECTIONS = 5  # to PostgreSQL: for the work, its steps, the queue's poll, the recovery at the start


class WorkRunner:
    """Runs one piece of work at a time, in a thread of its own, until `close`.

    The worker's name says whose work it is after a death: a worker of the same name takes it up again.
    """

    def __init__(self, url: str, *, worker: str, run: Callable[[str, Step], None]) -> None:
        DBOS(
            config={
                "name": "facecli",
                "system_database_url": url,
                "dbos_system_schema": SCHEMA,
                "sys_db_pool_size": CONNECTIONS,
                "use_listen_notify": False,  # nobody waits for messages, only a queue is polled
                "executor_id": worker,
                "application_version": APPLICATION_VERSION,
                "log_level": "ERROR",
                "run_migrations": False,
            }
        )

        @DBOS.workflow(name=WORKFLOW, max_recovery_attempts=None)
        def swap(task_id: str) -> None:
            run(task_id, _step)

        DBOS.launch()
        DBOS.register_queue(
            QUEUE, worker_concurrency=1, polling_interval_sec=POLL_EVERY, on_conflict="always_update"
        )

    def close(self) -> None:
        DBOS.destroy()


def _step(name: str, work: Callable[[], None]) -> None:
    DBOS.run_step({"name": name}, work)
