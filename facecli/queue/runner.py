"""The durable queue as a worker sees it: work arrives, and arrives again after a death."""

from collections.abc import Callable

from dbos import DBOS

from facecli.queue.work import APPLICATION_VERSION, QUEUE, WORKFLOW

POLL_EVERY = 0.2  # seconds; an idle worker then uses about 2 % of a core


class WorkRunner:
    """Runs one piece of work at a time, in a thread of its own, until `close`.

    The worker's name says whose work it is after a death: a worker of the same name takes it up again.
    """

    def __init__(self, url: str, *, worker: str, run: Callable[[str], None]) -> None:
        DBOS(
            config={
                "name": "facecli",
                "system_database_url": url,
                "executor_id": worker,
                "application_version": APPLICATION_VERSION,
                "log_level": "ERROR",
                "run_migrations": False,
            }
        )

        @DBOS.workflow(name=WORKFLOW, max_recovery_attempts=None)
        def swap(task_id: str) -> None:
            run(task_id)

        DBOS.launch()
        DBOS.register_queue(
            QUEUE, worker_concurrency=1, polling_interval_sec=POLL_EVERY, on_conflict="always_update"
        )

    def close(self) -> None:
        DBOS.destroy()
