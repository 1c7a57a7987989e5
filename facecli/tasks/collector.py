"""Removes ended tasks, their results and what they kept: when asked to, when their time is over."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from facecli.core.blobs import BlobStore
from facecli.core.errors import TaskNotFound
from facecli.core.expiry_clock import IdleTracker
from facecli.core.garbage import Garbage, GarbageKind, orphan_blob, remove_all, size_of
from facecli.tasks import checkpoints as checkpoints
from facecli.tasks.task import Task, TaskRepository, TaskStatus
from facecli.uploads.collector import day


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ended:
    id: str
    expires_at: float
    task: Task


class TaskCollector:
    """`expiry`: seconds that an ended task is kept, 0 for ever; `clock` is on the wall, and jumps.

    `forget` makes the queue forget work by its ids.
    """

    def __init__(
        self,
        *,
        repository: TaskRepository,
        blobs: BlobStore,
        forget: Callable[[Sequence[str]], None],
        workspace: Path,
        expiry: float,
        clock: Callable[[], float],
        monotonic: Callable[[], float],
    ) -> None:
        self._repository = repository
        self._blobs = blobs
        self._forget = forget
        self._workspace = workspace
        self._expiry = expiry
        self._clock = clock
        self._idle_tracker = IdleTracker(expiry=expiry, monotonic=monotonic)

    def remove(self, task: Task) -> bool:
        """Forget an ended task, unless it has changed since; whether it went. A running download goes on.

        The row goes first: what a death in the middle leaves is found by `orphans`.
        """
        if not self._repository.delete(task.id, revision=task.revision):
            return False
        self._blobs.delete(f"outputs/{task.id}")
        checkpoints.remove(self._workspace / task.id)
        self._forget(task.work_ids)
        return True

    def expire(self) -> int:
        """Remove the tasks whose time is over; how many went. To be called again and again."""
        return remove_all(self.overdue(measured=True))

    def sweep(self) -> int:
        """Remove results and work that no row knows, left by a death between two steps; how much went."""
        return remove_all(self.orphans())

    def overdue(self, *, measured: bool) -> list[Garbage]:
        """Ended tasks whose time is over by the wall, and also as `measured` by this process."""
        over = list(self._ended()) if self._expiry else []
        return [self._overdue(ended) for ended in (self._idle_tracker.expired(over) if measured else over)]

    def orphans(self) -> list[Garbage]:
        """Results and work that no row knows.

        A task that is processing may be about to publish; it keeps all. One that failed or was cancelled
        keeps its work, with which a retry goes on.
        """
        return [*self._orphan_blobs(), *self._orphan_work()]

    def _ended(self) -> Iterator[_Ended]:
        before, last = self._clock() - self._expiry, None
        while page := self._repository.ended(before=before, after=last):
            for task in page:
                yield _Ended(id=task.id, expires_at=task.updated_at + self._expiry, task=task)
            last = page[-1]

    def _overdue(self, ended: _Ended) -> Garbage:
        task = ended.task
        work = checkpoints.size(self._workspace / task.id)
        return Garbage(
            kind=GarbageKind.TASK,
            id=task.id,
            reason=f"{task.status}, its time was over {day(ended.expires_at)}",
            size=work + size_of(self._blobs, [task.result.blob_key] if task.result else []),
            remove=lambda: self.remove(task),
        )

    def _orphan_blobs(self) -> Iterator[Garbage]:
        for key in self._blobs.list("outputs"):
            task = self._task(key.split("/")[1])
            if task and task.status is TaskStatus.PROCESSING:
                continue
            if task is None or task.result is None or task.result.blob_key != key:
                yield orphan_blob(self._blobs, key, reason="no task has its result there")

    def _orphan_work(self) -> Iterator[Garbage]:
        for folder in filter(Path.is_dir, self._workspace.glob("*")):
            task = self._task(folder.name)
            if task is None or task.status is TaskStatus.COMPLETED:
                yield _orphan_folder(folder)

    def _task(self, task_id: str) -> Task | None:
        try:
            return self._repository.get(task_id)
        except TaskNotFound:
            return None


def _orphan_folder(folder: Path) -> Garbage:
    def remove() -> bool:
        checkpoints.remove(folder)
        return True

    return Garbage(
        kind=GarbageKind.WORK,
        id=f"{folder.parent.name}/{folder.name}",
        reason="no task goes on with this work",
        size=checkpoints.size(folder),
        remove=remove,
    )
