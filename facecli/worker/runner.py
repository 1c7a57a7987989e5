"""TaskRunner: the retry loop around a task, with backoff between attempts."""

import logging
import threading
import uuid
from collections.abc import Callable
from functools import partial

from facecli.core.backoff import Backoff
from facecli.core.errors import DiskFull, Unavailable
from facecli.tasks.claims import Claim
from facecli.tasks.logs.handler import captured
from facecli.tasks.logs.run_log import RunLog
from facecli.tasks.workflow import TaskWorkflow

FIRST_DELAY = 0.1  # seconds
MAX_DELAY = 5.0  # seconds

_log = logging.getLogger(__name__)


class TaskRunner:
    """Runs the tasks that the queue delivers to a worker; `open_log` opens a task's log for a run."""

    def __init__(
        self,
        workflow: TaskWorkflow,
        *,
        worker: str,
        stopping: threading.Event,
        open_log: Callable[[str, str], RunLog],
    ) -> None:
        self._workflow = workflow
        self._worker = worker
        self._stopping = stopping
        self._open_log = open_log

    def run(self, task_id: str) -> None:
        """Run a task until it ends or is lost. Raises nothing: the outcome is in the task's row.

        Never returns once the worker is stopping: the queue would record the work as done, while the worker
        is releasing it to others.
        """
        claim = Claim(worker=self._worker)
        log = self._open_log(task_id, claim.run)
        with captured(log):
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
