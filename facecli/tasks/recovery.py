"""Recovery: requeues the tasks of dead workers, and reconciles task rows with the queue.

Theory of operation. The task's row is the truth; the queue only delivers. A crash between a write to the
row and one to the queue can strand a task: a row without work in the queue, or work held by a worker that no
longer exists. `requeue_stranded` finds these. Everything is idempotent, so any number of processes may run it
at once, and a worker declared dead in error is fenced off by the row (fencing token).
"""

import logging
from collections.abc import Callable, Collection, Sequence
from functools import partial

from facecli.core.errors import Unavailable
from facecli.core.events import EventBus, WorkerLost
from facecli.tasks import claims
from facecli.tasks.leases import Leases, WorkerRepository
from facecli.tasks.logs.server_log import ServerLog
from facecli.tasks.queue import TaskQueue
from facecli.tasks.repository import PendingWork
from facecli.tasks.store import TaskStore
from facecli.tasks.task import Task, TaskStatus
from facecli.tasks.worker_end import LEASE_EXPIRED, SHUTDOWN, UNKNOWN, WorkerEnd

ENDED_KEPT = 60.0  # seconds for which the queue keeps ended work; it ends a moment after its task

_log = logging.getLogger(__name__)


class Recovery:
    """Requeues the tasks of dead workers; fails a task after `max_crashes` crashes without progress."""

    def __init__(
        self,
        *,
        tasks: TaskStore,
        log: ServerLog,
        workers: WorkerRepository,
        queue: TaskQueue,
        events: EventBus,
        max_crashes: int,
    ) -> None:
        self._tasks = tasks
        self._log = log
        self._workers = workers
        self._queue = queue
        self._events = events
        self._max_crashes = max_crashes
        self._leases = Leases(workers)

    def check(self) -> None:
        """Recover the workers whose lease has expired."""
        self._recover_each(self._leases.expired(), end=LEASE_EXPIRED)

    def recover(self, worker_id: str, *, end: WorkerEnd = UNKNOWN) -> None:
        """Requeue the work of a dead worker, and count the crash."""
        change = partial(claims.release_after_crash, max_crashes=self._max_crashes, end=end)
        self._requeue(worker_id, change, end)

    def release(self, worker_id: str) -> None:
        """Requeue the work of a worker that shuts down."""
        self._requeue(worker_id, claims.release, SHUTDOWN)

    def recover_former(
        self, *, data_dir_id: str, is_former: Callable[[str], bool], end: WorkerEnd = UNKNOWN
    ) -> None:
        """Recover the workers of this data directory whose names match. None of them may still run."""
        here = [worker for worker in self._workers.listed() if worker.data_dir_id == data_dir_id]
        self._recover_each([worker.id for worker in here if is_former(worker.name)], end=end)

    def requeue_stranded(self) -> None:
        """Requeue tasks whose worker has no row, and pending tasks that the queue does not hold."""
        processing = self._tasks.repository.with_status(TaskStatus.PROCESSING)
        holders = {task.worker for task in processing} | self._queue.holders()
        # Read the live workers after the holders: a worker has its row before it holds any work.
        self._recover_each(sorted(holders - {worker.id for worker in self._workers.listed()}))
        pending = self._tasks.repository.pending()
        self._enqueue(pending, self._queue.missing({work.work_id: work.engine for work in pending}))

    def forget_ended(self) -> None:
        """Delete ended work from the queue: every poll and check would have to step over it."""
        self._queue.forget_ended(before=self._tasks.clock() - ENDED_KEPT)

    def _recover_each(self, worker_ids: Sequence[str], *, end: WorkerEnd = UNKNOWN) -> None:
        """Recover these workers; one whose rows are locked does not keep the others from their recovery."""
        failure: Unavailable | None = None
        for worker_id in worker_ids:
            try:
                self.recover(worker_id, end=end)
            except Unavailable as error:
                failure = error
            else:
                if end is LEASE_EXPIRED:
                    self._events.publish(WorkerLost(worker=worker_id))
        if failure:
            raise failure

    def _requeue(self, worker_id: str, change: Callable[..., Task], end: WorkerEnd) -> None:
        for task in self._tasks.repository.with_status(TaskStatus.PROCESSING):
            if task.worker == worker_id:
                self._release(task, change, end)
        # Rows first: a task must be free when the queue delivers it again. The worker's own row is deleted
        # last, so that after a crash in between the next check does the rest.
        self._queue.recover(worker_id)
        self._workers.forget(worker_id)

    def _release(self, task: Task, change: Callable[..., Task], end: WorkerEnd) -> None:
        """Change the task, and tell its log, unless somebody else has released it meanwhile."""
        made: list[Task] = []

        def recorded(current: Task) -> Task:
            made[:] = [current, change(current, run=task.run)]
            return made[1]

        self._tasks.change(task.id, recorded)
        before, after = made
        if after is not before:
            # Before the queue delivers the task again, so that the record precedes those of the next attempt.
            self._record(before, after, end)

    def _record(self, task: Task, changed: Task, end: WorkerEnd) -> None:
        name = task.worker.rpartition("-")[0] or task.worker  # an id is the name and a random part
        lost = f"attempt {task.attempt} ended: worker {name} {end.description}"
        if changed.status is TaskStatus.FAILED:
            text, level = f"{lost}; task failed: {changed.error_message}", "error"
        else:
            text, level = f"{lost}; task requeued for attempt {task.attempt + 1}", "warning"
        self._log.add(task.id, text, level="info" if end is SHUTDOWN else level)

    def _enqueue(self, pending: Collection[PendingWork], missing: Collection[str]) -> None:
        for work in pending:
            if work.work_id in missing:
                _log.warning("task missing from the queue; enqueued again", extra={"task": work.task_id})
                self._queue.forget([work.work_id])
                self._queue.enqueue(work_id=work.work_id, task_id=work.task_id, engine=work.engine)
