"""A process that runs the work of the durable queue, and prints what it does."""

import os
import signal
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from multiprocessing.reduction import DupFd
from typing import Any

from tests.support.e2e.fork_server import fork_context


class Worker:
    """A worker process that prints what it does: `run`, `hang` in its work, or `wait` until it may end it.

    With the mode `turns` it runs real tasks of a database at the same URL, and ends each at once.
    """

    def __init__(
        self,
        url: str,
        name: str,
        mode: str,
        engines: Sequence[str] = ("mock",),
        *,
        reconcile_interval: float = 2.0,
    ) -> None:
        input_end, input_number = os.pipe()
        output_number, output_end = os.pipe()
        self._input, self._output = os.fdopen(input_number, "w"), os.fdopen(output_number)
        work = _Work(
            url=url,
            worker=name,
            mode=mode,
            engines=tuple(engines),
            reconcile_interval=reconcile_interval,
            pipes=(input_end, output_end),
        )
        self._process = fork_context().Process(target=work)
        self._process.start()
        os.close(input_end)
        os.close(output_end)

    def read_line(self) -> str:
        return self._output.readline().strip()

    def proceed(self) -> None:
        """Let a waiting worker go on."""
        self._input.close()

    def send(self, number: signal.Signals) -> None:
        assert self._process.pid
        os.kill(self._process.pid, number)

    def kill(self) -> None:
        self._process.kill()
        self._process.join()

    def __enter__(self) -> "Worker":
        return self

    def __exit__(self, *error: object) -> None:
        self.kill()
        self._input.close()
        self._output.close()


@dataclass(kw_only=True)
class _Work:
    """Runs in the child."""

    url: str
    worker: str
    mode: str
    engines: tuple[str, ...]
    reconcile_interval: float
    pipes: tuple[Any, Any]  # of its input and its output

    def __getstate__(self) -> dict[str, Any]:
        """Send the pipes along, while the process is being started."""
        return {**self.__dict__, "pipes": tuple(map(DupFd, self.pipes))}

    def __call__(self) -> None:
        from facecli.metadata.database import translate_errors
        from facecli.queue.runner import DbosTaskRunner

        for number, end in enumerate(self.pipes):
            os.dup2(end.detach(), number)
        run = _instant_runner(self.url, self.worker, self.engines) if self.mode == "turns" else self._run
        DbosTaskRunner(
            self.url,
            worker=self.worker,
            engines=self.engines,
            run=run,
            errors=translate_errors,
            reconcile_interval=self.reconcile_interval,
        )
        threading.Event().wait()

    def _run(self, task_id: str) -> None:
        os.write(1, f"began {task_id}\n".encode())
        if self.mode == "wait":
            os.read(0, 1)
        if self.mode == "hang":
            threading.Event().wait()
        os.write(1, f"ended {task_id}\n".encode())


class _InstantWorkflow:
    """Takes a task and fails it at once."""

    def __init__(self, tasks: Any) -> None:
        self._tasks = tasks

    def run(self, task_id: str, claim: Any, log: object) -> None:
        from facecli.core.errors import MediaRefused, NotReady, TakenOver
        from facecli.tasks import transitions

        try:
            claim.take(self._tasks, task_id)
        except (NotReady, TakenOver):
            return
        os.write(1, f"ran {task_id}\n".encode())
        self._tasks.change(task_id, partial(transitions.fail, run=claim.run, error=MediaRefused("instant")))


def _instant_runner(url: str, worker: str, engines: Sequence[str]) -> Callable[[str], None]:
    from facecli.core.events import EventBus
    from facecli.metadata.database import open_database
    from facecli.metadata.task_logs import SqlTaskLogRepository
    from facecli.metadata.task_records.turns import SqlTaskTurns
    from facecli.metadata.tasks import SqlTaskRepository
    from facecli.metadata.workers import SqlWorkerRepository
    from facecli.tasks.dispatch import Dispatch
    from facecli.tasks.logs.run_log import RunLog
    from facecli.tasks.store import TaskStore
    from facecli.worker.runner import TaskRunner

    database = open_database(url)
    store = TaskStore(SqlTaskRepository(database), clock=time.time, events=EventBus())
    dispatch = Dispatch(
        SqlTaskTurns(database),
        tasks=store.repository,
        workers=SqlWorkerRepository(database),
        engines=engines,
    )
    workflow: Any = _InstantWorkflow(store)
    logs = SqlTaskLogRepository(database)
    runner = TaskRunner(
        workflow,
        worker=worker,
        dispatch=dispatch,
        stopping=threading.Event(),
        open_log=lambda task_id, run: RunLog(logs, task_id, run=run),
    )
    return runner.run
