"""TaskRunner: runs the tasks whose turn it is, each in a retry loop with backoff between attempts."""

import logging
import threading
import uuid
from collections.abc import Callable
from functools import partial

from facecli.core.backoff import Backoff
from facecli.core.errors import DiskFull, TaskNotFound, Unavailable
from facecli.tasks.claims import Claim
from facecli.tasks.dispatch import Dispatch
from facecli.tasks.logs.handler import captured
from facecli.tasks.logs.run_log import RunLog
from facecli.tasks.workflow import TaskWorkflow
from facecli.telemetry.logs import with_fields

FIRST_DELAY = 0.1  # seconds
MAX_DELAY = 5.0  # seconds

_log = logging.getLogger(__name__)


class TaskRunner:
    """Runs a task for each delivery of the queue, chosen by `dispatch`; see `tasks/dispatch.py`.

    `open_log` opens a task's log for a run.
    """

    def __init__(
        self,
        workflow: TaskWorkflow,
        *,
        worker: str,
        dispatch: Dispatch,
        stopping: threading.Event,
        open_log: Callable[[str, str], RunLog],
    ) -> None:
        self._workflow = workflow
        self._worker = worker
        self._dispatch = dispatch
        self._stopping = stopping
        self._open_log = open_log

    def run(self, delivered: str) -> None:
        """Run the tasks whose turn it is until the delivered one waits no more, and then that one.

        If it has ended by then, its run removes the files that a killed one has left.

        Raises nothing: outcomes are in the rows of the tasks. Never returns once the worker is stopping: the
        queue would record the work as done, while the worker is releasing it to others.
        """
        while (task_id := self._next() or delivered) != delivered:
            self._run_task(task_id)
            if not self._waits(delivered):
                break
        self._run_task(delivered)

    def _next(self) -> str | None:
        """None also while the database is away; the run of the delivered task then waits for it."""
        try:
            return self._dispatch.next()
        except Unavailable as error:
            _log.warning("cannot tell whose turn it is", extra={"error": error.message})
            return None

    def _waits(self, task_id: str) -> bool:
        try:
            return self._dispatch.waits(task_id)
        except TaskNotFound:
            return False
        except Unavailable:
            return True

    def _run_task(self, task_id: str) -> None:
        claim = Claim(worker=self._worker)
        log = self._open_log(task_id, claim.run)
        with with_fields(), captured(log):
            self._run(task_id, claim, log)
        if self._stopping.is_set():
            threading.Event().wait()

    def _run(self, task_id: str, claim: Claim, log: RunLog) -> None:
        work: Callable[[], None] = partial(self._workflow.run, task_id, claim, log)
        backoff = Backoff(first=FIRST_DELAY, ceiling=MAX_DELAY)
        while True:
            delay = backoff.next()
            try:
                work()
                return
            except (Unavailable, DiskFull) as error:
                fields = {"task": task_id, "delay": round(delay, 2), "error": error.message}
                _log.warning("task interrupted; will be retried", extra=fields)
                log.flush()  # before the next attempt, to whose number the record would belong
            except BaseException:  # also the SystemExit of an engine, which would end this thread silently
                error_id = uuid.uuid4().hex[:12]
                _log.exception("internal error in task", extra={"task": task_id, "error_id": error_id})
                work = partial(self._workflow.fail_with_bug, task_id, claim, log, error_id)
            if self._stopping.wait(delay):
                return
