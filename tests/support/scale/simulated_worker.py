"""A worker with the real queue, claims, heartbeats and recovery, and an engine that only waits."""

import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from facecli.bootstrap.worker import METADATA_CONNECTIONS, RECOVERY_CONNECTIONS
from facecli.core.errors import NotReady, TakenOver
from facecli.core.events import EventBus
from facecli.metadata.database import open_database, translate_errors
from facecli.metadata.task_logs import SqlTaskLogRepository
from facecli.metadata.task_records.turns import SqlTaskTurns
from facecli.metadata.tasks import SqlTaskRepository
from facecli.metadata.workers import SqlWorkerRepository
from facecli.queue.client import DbosTaskQueue
from facecli.queue.runner import DbosTaskRunner
from facecli.tasks.claims import Claim
from facecli.tasks.dispatch import Dispatch
from facecli.tasks.leases import Worker
from facecli.tasks.logs.run_log import RunLog
from facecli.tasks.logs.server_log import ServerLog
from facecli.tasks.recovery import Recovery
from facecli.tasks.store import TaskStore
from facecli.tasks.task import Result, Task, TaskStatus
from facecli.tasks.workflow import TaskWorkflow
from facecli.worker.heartbeat import send_heartbeats
from facecli.worker.runner import TaskRunner
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
            Path(self.claims).open("ab", 0) as file,
        ):
            turns, logs = SqlTaskTurns(engine), SqlTaskLogRepository(engine)
            runner = TaskRunner(
                _SimulatedWorkflow(tasks, seconds=self.seconds, write=file.write),
                worker=worker.id,
                dispatch=Dispatch(turns, tasks=tasks.repository, workers=workers, engines=self.engines),
                stopping=threading.Event(),
                open_log=lambda task_id, run: RunLog(logs, task_id, run=run),
            )
            DbosTaskRunner(
                self.url,
                worker=worker.id,
                engines=self.engines,
                run=runner.run,
                errors=translate_errors,
                workers=len(workers.listed()),
            )
            file.write(b"ready 0\n")
            threading.Event().wait()


class _SimulatedWorkflow(TaskWorkflow):
    """Claims a task, waits, reports progress and completes it; writes a line for each claim."""

    def __init__(self, tasks: TaskStore, *, seconds: float, write: Callable[[bytes], object]) -> None:
        self._tasks = tasks
        self._seconds = seconds
        self._write = write

    def run(self, task_id: str, claim: Claim, log: RunLog) -> None:
        try:
            claim.take(self._tasks, task_id)
        except (NotReady, TakenOver):
            return
        self._write(f"{task_id} {time.time()}\n".encode())
        for step in range(1, STEPS + 1):
            time.sleep(self._seconds / STEPS)
            self._tasks.change(task_id, partial(_advanced, progress=20 * step))
        result = Result(blob_key=f"outputs/{task_id}/r", size=1000, crc32c=1)
        self._tasks.change(task_id, partial(_completed, result=result), record="{}")


def _advanced(task: Task, *, progress: int) -> Task:
    return replace(task, progress=progress)


def _completed(task: Task, *, result: Result) -> Task:
    return replace(task, status=TaskStatus.COMPLETED, progress=100, result=result)
