"""Removes ended tasks, their results and what they kept: when asked to, when their time is over."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from facecli.core import kept_work
from facecli.core.blobs import BlobStore
from facecli.core.errors import TaskNotFound
from facecli.core.silence import Silence
from facecli.core.task_queue import TaskQueue
from facecli.core.tasks import Task, TaskRows, TaskStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class _Expiring:
    id: str
    expires_at: float
    task: Task


class Removal:
    """`expiry`: seconds that an ended task is kept, 0 for ever; `clock` is on the wall, and jumps."""

    def __init__(
        self,
        *,
        rows: TaskRows,
        blobs: BlobStore,
        queue: TaskQueue,
        workspace: Path,
        expiry: float,
        clock: Callable[[], float],
        monotonic: Callable[[], float],
    ) -> None:
        self._rows = rows
        self._blobs = blobs
        self._queue = queue
        self._workspace = workspace
        self._expiry = expiry
        self._clock = clock
        self._silence = Silence(expiry=expiry, monotonic=monotonic)

    def remove(self, task: Task) -> bool:
        """Forget an ended task, unless it has changed since; whether it went. A running download goes on.

        The row goes first: what a death in the middle leaves is found by `sweep`.
        """
        if not self._rows.delete(task.id, revision=task.revision):
            return False
        self._blobs.delete(f"outputs/{task.id}")
        kept_work.remove(self._workspace / task.id)
        self._queue.forget(task.work_ids)
        return True

    def expire(self) -> int:
        """Remove the tasks whose time is over; how many went. To be called again and again."""
        if not self._expiry:
            return 0
        overdue = [
            _Expiring(id=task.id, expires_at=task.updated_at + self._expiry, task=task)
            for task in self._rows.ended(before=self._clock() - self._expiry)
        ]
        return sum(self.remove(expired.task) for expired in self._silence.over(overdue))

    def sweep(self) -> int:
        """Remove results and work that no row knows, left by a death between two steps; how much went.

        A task that is processing may be about to publish; it keeps all. One that failed or was cancelled
        keeps its work, with which a retry goes on.
        """
        gone = 0
        for key in self._blobs.keys("outputs"):
            task = self._task(key.split("/")[1])
            if task and task.status is TaskStatus.PROCESSING:
                continue
            if task is None or task.result is None or task.result.blob_key != key:
                self._blobs.delete(key)
                gone += 1
        for folder in self._workspace.glob("*"):
            task = self._task(folder.name)
            if task is None or task.status is TaskStatus.COMPLETED:
                kept_work.remove(folder)
                gone += 1
        return gone

    def _task(self, task_id: str) -> Task | None:
        try:
            return self._rows.get(task_id)
        except TaskNotFound:
            return None
