"""A worker with the real queue, claims, heartbeats and recovery, and an engine that only waits."""

import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from facecli.bootstrap.worker import METADATA_CONNECTIONS, RECOVERY_CONNECTIONS
from facecli.core.errors import NotReady, TakenOver
from facecli.core.events import EventBus
from facecli.metadata.database import open_database, translate_errors
from facecli.metadata.task_logs import SqlTaskLogRepository
from facecli.metadata.tasks import SqlTaskRepository
from facecli.metadata.workers import SqlWorkerRepository
from facecli.queue.client import DbosTaskQueue
from facecli.queue.runner import DbosTaskRunner
from facecli.tasks.claims import Claim
from facecli.tasks.leases import Worker
from facecli.tasks.logs.server_log import ServerLog
from facecli.tasks.recovery import Recovery
from facecli.tasks.store import TaskStore
from facecli.tasks.task import Result, Task, TaskStatus
from facecli.worker.heartbeat import send_heartbeats
from tests.support.e2e.fork_server import fork_context

STEPS = 4  # changes of progress in a task


@dataclass(frozen=True, kw_only=True)
class SimulatedWorker:
    """Runs in a process of its own, until it is killed; every task takes `seconds`."""

    url: str
    number: int
    engines: tuple[str, ...]
    seconds: float
    claims: str  # file for a line with id and time of each claim

    def start(self) -> Callable[[], None]:
        """Start the process; the function kills it."""
        process = fork_context().Process(target=self)
        process.start()

        def kill() -> None:
            process.kill()
            process.join()

        return kill

    def __call__(self) -> None:
        engine = open_database(self.url, connections=METADATA_CONNECTIONS)
        tasks = TaskStore(SqlTaskRepository(engine), clock=time.time, events=EventBus())
        workers = SqlWorkerRepository(engine)
        recovery = Recovery(
            tasks=tasks,
            log=ServerLog(SqlTaskLogRepository(engine), clock=time.time),
            workers=workers,
            queue=DbosTaskQueue(self.url, errors=translate_errors, connections=RECOVERY_CONNECTIONS),
            events=EventBus(),
            max_crashes=3,
        )
        worker = Worker(
            id=f"worker-{self.number:012}",
            name=f"worker-{self.number}",
            data_dir_id="simulated",
            pid=os.getpid(),
            engines=self.engines,
        )
        recovery.recover(worker.id)
        with (
            send_heartbeats(worker, repository=workers, check=recovery.check),
            open(self.claims, "ab", 0) as file,
        ):
            DbosTaskRunner(
                self.url,
                worker=worker.id,
                engines=self.engines,
                run=lambda task_id: self._run(tasks, task_id, worker, file.write),
                errors=translate_errors,
            )
            file.write(b"ready 0\n")
            threading.Event().wait()

    def _run(self, tasks: TaskStore, task_id: str, worker: Worker, write: Callable[[bytes], object]) -> None:
        claim = Claim(worker=worker.id)
        try:
            claim.take(tasks, task_id)
        except (NotReady, TakenOver):
            return
        write(f"{task_id} {time.time()}\n".encode())
        for step in range(STEPS):
            time.sleep(self.seconds / STEPS)
            tasks.change(task_id, lambda task, step=step: replace(task, progress=20 * (step + 1)))  # type: ignore[misc]
        result = Result(blob_key=f"outputs/{task_id}/r", size=1000, crc32c=1)
        tasks.change(task_id, partial(_completed, result=result), record="{}")


def _completed(task: Task, *, result: Result) -> Task:
    return replace(task, status=TaskStatus.COMPLETED, progress=100, result=result)
