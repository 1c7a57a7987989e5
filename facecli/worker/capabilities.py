"""Capabilities: the engines that the living workers run, and the note on tasks that none of them can run."""

import time
from collections.abc import Callable
from dataclasses import replace

from facecli.core.errors import Unavailable
from facecli.tasks.leases import Worker, WorkerRepository
from facecli.tasks.task import Task, TaskStatus

READ_INTERVAL = 1.0  # seconds for which the workers are remembered


class Capabilities:
    """Tells which tasks wait for a worker that can run them.

    A server starts `own_workers` workers, of which `is_own` is true. Until all of them have announced their
    engines, it cannot tell.
    """

    def __init__(
        self,
        workers: WorkerRepository,
        *,
        own_workers: int,
        is_own: Callable[[Worker], bool],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._workers = workers
        self._own_workers = own_workers
        self._is_own = is_own
        self._monotonic = monotonic
        self._read: tuple[float, frozenset[str] | None] = (-READ_INTERVAL, None)

    def noted(self, task: Task) -> Task:
        """The task; with a note if it waits for an engine that no worker runs now."""
        if task.status is not TaskStatus.PENDING:
            return task
        engines = self._engines()
        if engines is None or task.engine in engines:
            return task
        note = f"no running worker has the engine {task.engine}; the task waits until one does"
        return replace(task, notes=(*task.notes, note))

    def _engines(self) -> frozenset[str] | None:
        """The engines of the living workers; None while that is unknown."""
        read_at, engines = self._read
        if self._monotonic() - read_at < READ_INTERVAL:
            return engines
        try:
            workers = self._workers.listed()
        except Unavailable:
            return None
        starting = sum(map(self._is_own, workers)) < self._own_workers
        engines = None if starting else frozenset(name for worker in workers for name in worker.engines)
        self._read = (self._monotonic(), engines)
        return engines
