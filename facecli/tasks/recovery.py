"""Takes tasks back from workers that are gone, and finds those that nobody would run."""

import logging
from collections.abc import Callable, Collection
from functools import partial

from facecli.tasks import claims
from facecli.tasks.leases import Leases, WorkerRepository
from facecli.tasks.queue import TaskQueue
from facecli.tasks.repository import TaskRepository
from facecli.tasks.task import Task, TaskStatus

_log = logging.getLogger(__name__)


class Recovery:
    """Any process may do this, at any time, several at once: who was declared dead in error is fenced off.

    `max_crashes` of those who work on a task end it.
    """

    def __init__(
        self,
        *,
        tasks: TaskRepository,
        workers: WorkerRepository,
        queue: TaskQueue,
        clock: Callable[[], float],
        max_crashes: int,
    ) -> None:
        self._tasks = tasks
        self._workers = workers
        self._queue = queue
        self._clock = clock
        self._max_crashes = max_crashes
        self._leases = Leases(workers)

    def look(self) -> None:
        """Release who made no beat for some looks."""
        for worker_id in self._leases.expired():
            _log.warning("worker %s does not answer; its task goes to another", worker_id)
            self.release(worker_id)

    def release(self, worker_id: str) -> None:
        """Give what a dead worker held to the living."""
        self._free(worker_id, partial(claims.release_after_crash, max_crashes=self._max_crashes))

    def give_back(self, worker_id: str) -> None:
        """Give what a worker holds to the others, because it ends; that is no death."""
        self._free(worker_id, claims.release)

    def release_former(self, *, data_dir_id: str, names: Callable[[str], bool]) -> None:
        """Release every worker of this place with such a name. Only while none of them can live."""
        for worker in self._workers.listed():
            if worker.data_dir_id == data_dir_id and names(worker.name):
                self.release(worker.id)

    def search(self) -> None:
        """Find tasks whose worker has no row, and waiting ones that the queue lost or takes for done."""
        processing = self._tasks.with_status(TaskStatus.PROCESSING)
        held = {task.worker for task in processing} | self._queue.holders()
        # The living are asked for after the holders: a worker is entered before it holds anything.
        for worker_id in sorted(held - {worker.id for worker in self._workers.listed()}):
            self.release(worker_id)
        waiting = self._tasks.with_status(TaskStatus.PENDING)
        self._enqueue(waiting, self._queue.lost([task.work_id for task in waiting]))

    def _free(self, worker_id: str, change: Callable[..., Task]) -> None:
        for task in self._tasks.with_status(TaskStatus.PROCESSING):
            if task.worker == worker_id:
                self._tasks.change(task.id, partial(change, run=task.run), now=self._clock())
        # Not before the rows: what a worker gets from the queue must be free to be taken. And last of all its
        # own row goes, so that a death in the middle of this is made good by the next look.
        self._queue.recover(worker_id)
        self._workers.forget(worker_id)

    def _enqueue(self, waiting: Collection[Task], lost: Collection[str]) -> None:
        for task in waiting:
            if task.work_id in lost:
                _log.warning("task %s was not in the queue, and is now", task.id)
                self._queue.forget([task.work_id])
                self._queue.enqueue(work_id=task.work_id, task_id=task.id)
