"""Garbage collection of tasks: expired tasks, and orphaned results and checkpoints."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from facecli.core.blobs import BlobStore, Capability
from facecli.core.expiry_clock import IdleTracker
from facecli.core.garbage import Garbage, GarbageKind, OrphanPolicy, orphan_blob, remove_all, size_of
from facecli.tasks.checkpoints.files import checkpoints_modified_at, checkpoints_size, delete_checkpoints
from facecli.tasks.checkpoints.shared import PREFIX, SharedCheckpoints
from facecli.tasks.store import TaskStore
from facecli.tasks.task import Task, TaskStatus
from facecli.uploads.collector import day


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """The retention of ended tasks: `expiry` seconds, or unlimited if 0.

    A task expires when both the wall clock, which jumps, and the `monotonic` clock say so.
    """

    expiry: float
    clock: Callable[[], float]
    monotonic: Callable[[], float]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ended:
    """An ended task with its expiry."""

    id: str
    expires_at: float
    task: Task


class TaskCollector:
    """Deletes ended tasks with their results and checkpoints; `forget` deletes their work from the queue."""

    def __init__(
        self,
        *,
        tasks: TaskStore,
        blobs: BlobStore,
        forget: Callable[[Sequence[str]], None],
        workspace: Path,
        retention: Retention,
        orphan_policy: OrphanPolicy,
    ) -> None:
        self._tasks = tasks
        self._blobs = blobs
        self._forget = forget
        self._workspace = workspace
        self._retention = retention
        self._orphan_policy = orphan_policy
        self._idle_tracker = IdleTracker(expiry=retention.expiry, monotonic=retention.monotonic)

    def remove(self, task: Task, *, cause: str) -> bool:
        """Delete an ended task; False when it has changed since. A download in progress continues.

        The row is deleted first, so that a crash leaves only orphans.
        """
        if not self._tasks.delete(task, cause=cause):
            return False
        self._blobs.delete(f"outputs/{task.id}")
        delete_checkpoints(self._workspace / task.id)
        SharedCheckpoints(self._blobs, task.id).delete()
        self._forget(task.work_ids)
        return True

    def expire(self) -> int:
        """Delete expired tasks, and return their number. To be called periodically."""
        return remove_all(self.overdue(measured=True), clock=self._orphan_policy.clock)

    def sweep(self) -> int:
        """Delete old orphans, left by a crash, and return their number."""
        removable = self._orphan_policy.removable(self.orphans())
        return remove_all(removable, clock=self._orphan_policy.clock)

    def overdue(self, *, measured: bool) -> list[Garbage]:
        """Tasks expired by the wall clock and, if `measured`, also by this process's monotonic clock."""
        overdue = list(self._ended()) if self._retention.expiry else []
        expired = self._idle_tracker.expired(overdue) if measured else overdue
        return [self._overdue(ended) for ended in expired]

    def orphans(self) -> list[Garbage]:
        """Results and checkpoints that no task refers to.

        A processing task keeps everything, because it may be about to publish. A failed or cancelled one
        keeps its checkpoints for a retry.
        """
        return [*self._orphan_blobs(), *self._orphan_checkpoints(), *self._orphan_copies()]

    def _ended(self) -> Iterator[_Ended]:
        before, last = self._retention.clock() - self._retention.expiry, None
        while page := self._tasks.repository.ended(before=before, after=last):
            for task in page:
                yield _Ended(id=task.id, expires_at=task.updated_at + self._retention.expiry, task=task)
            last = page[-1]

    def _overdue(self, ended: _Ended) -> Garbage:
        task = ended.task
        work = checkpoints_size(self._workspace / task.id)
        return Garbage(
            kind=GarbageKind.TASK,
            id=task.id,
            reason=f"{task.status}, expired {day(ended.expires_at)}",
            size=work + size_of(self._blobs, [file.blob_key for file in task.files]),
            modified_at=task.updated_at,
            remove=lambda: self.remove(task, cause="expired"),
        )

    def _orphan_blobs(self) -> Iterator[Garbage]:
        keys = self._blobs.list("outputs")
        tasks = self._tasks_of(key.split("/")[1] for key in keys)
        for key in keys:
            task = tasks.get(key.split("/")[1])
            if task and task.status is TaskStatus.PROCESSING:
                continue
            if task is None or key not in {file.blob_key for file in task.files}:
                yield orphan_blob(self._blobs, key, reason="no task refers to it")

    def _orphan_checkpoints(self) -> Iterator[Garbage]:
        directories = [each for each in self._workspace.glob("*") if each.is_dir()]
        tasks = self._tasks_of(each.name for each in directories)
        for directory in directories:
            task = tasks.get(directory.name)
            if task is None or task.status is TaskStatus.COMPLETED:
                yield _orphan_directory(directory)

    def _orphan_copies(self) -> Iterator[Garbage]:
        """Copies of checkpoints in a store that has no local files."""
        if Capability.LOCAL_FILES in self._blobs.capabilities:
            return
        keys = self._blobs.list(PREFIX)
        tasks = self._tasks_of(key.split("/")[1] for key in keys)
        for task_id in sorted({key.split("/")[1] for key in keys}):
            task = tasks.get(task_id)
            if task is None or task.status is TaskStatus.COMPLETED:
                own = [key for key in keys if key.startswith(f"{PREFIX}/{task_id}/")]
                yield _orphan_copies(self._blobs, task_id, own)

    def _tasks_of(self, task_ids: Iterable[str]) -> Mapping[str, Task]:
        """The existing ones of these tasks, by id."""
        return {task.id: task for task in self._tasks.repository.several(set(task_ids), owner=None)}


def _orphan_copies(blobs: BlobStore, task_id: str, keys: Sequence[str]) -> Garbage:
    def remove() -> bool:
        SharedCheckpoints(blobs, task_id).delete()
        return True

    return Garbage(
        kind=GarbageKind.WORK,
        id=f"{PREFIX}/{task_id}",
        reason="no task uses these checkpoints",
        size=size_of(blobs, keys),
        modified_at=max(map(blobs.modified_at, keys)),
        remove=remove,
    )


def _orphan_directory(directory: Path) -> Garbage:
    def remove() -> bool:
        delete_checkpoints(directory)
        return not os.path.lexists(directory)

    return Garbage(
        kind=GarbageKind.WORK,
        id=f"{directory.parent.name}/{directory.name}",
        reason="no task uses these checkpoints",
        size=checkpoints_size(directory),
        modified_at=checkpoints_modified_at(directory),
        remove=remove,
    )
