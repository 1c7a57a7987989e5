"""What a task is: its states, the legal moves between them, and the rows that carry it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Protocol

from facecli.core.errors import FacecliError, NotReady, TakenOver, TaskEnded
from facecli.tasks.task_filter import TaskFilter
from facecli.uploads.upload import Upload


class TaskStatus(StrEnum):
    PENDING = "pending"
    PROCESSING = "processing"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


_S = TaskStatus
MOVES: Mapping[TaskStatus, frozenset[TaskStatus]] = {
    _S.PENDING: frozenset({_S.PROCESSING, _S.CANCELLED}),
    _S.PROCESSING: frozenset({_S.PENDING, _S.PROCESSING, _S.COMPLETED, _S.FAILED, _S.CANCELLED}),
    _S.COMPLETED: frozenset(),
    _S.FAILED: frozenset({_S.PENDING}),
    _S.CANCELLED: frozenset({_S.PENDING}),
}
ENDED = frozenset({_S.COMPLETED, _S.FAILED, _S.CANCELLED})


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTask:
    """What is asked for: two complete uploads, an engine, and the engine's options."""

    owner: str
    image: Upload
    video: Upload
    engine: str
    options: Mapping[str, str] = field(default_factory=dict)
    key: str | None = None  # idempotency key, per owner


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """A published result: the blob, its size in bytes and its crc32c."""

    blob_key: str
    size: int
    crc32c: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A swap from request to result. `revision` rises with every change; `round` with every retry;
    `attempt`, within a round, with every worker that takes it, whose `run` it then is."""

    id: str
    owner: str
    status: TaskStatus
    progress: int  # 0..100
    frames_done: int
    frames: int  # in all; 0 until a worker has counted them
    stage: str
    revision: int
    round: int
    attempt: int
    run: str
    worker: str
    engine: str
    options: Mapping[str, str]
    image_id: str
    video_id: str
    image_url: str
    video_url: str
    key: str | None
    result: Result | None
    error_reason: str
    error_message: str
    created_at: float
    updated_at: float
    crashes: int = 0  # within a round, of workers and of ffmpeg, while they worked on it

    @property
    def ended(self) -> bool:
        return self.status in ENDED

    @property
    def result_url(self) -> str:
        """`/outputs/<task id>/<name>.mp4`, or empty while there is no result."""
        if self.result is None:
            return ""
        name = self.video_url.rsplit("/", 1)[-1].rsplit(".", 1)[0]
        return f"/outputs/{self.id}/{name}.mp4"

    @property
    def work_id(self) -> str:
        """What the queue calls this round of the task."""
        return f"{self.id}.{self.round}"

    @property
    def work_ids(self) -> list[str]:
        """Of all its rounds."""
        return [f"{self.id}.{number}" for number in range(1, self.round + 1)]


Change = Callable[[Task], Task]


def moved(task: Task, status: TaskStatus) -> Task:
    """The task in another state; TaskEnded or NotReady when that move is not legal."""
    if status not in MOVES[task.status]:
        kind = TaskEnded if task.ended else NotReady
        raise kind(f"task {task.id} is {task.status}; it cannot become {status}")
    return replace(task, status=status)


def claimed(task: Task, *, run: str, worker: str) -> Task:
    """Taken by a worker. From here on every other run of it is fenced off."""
    return replace(
        moved(task, TaskStatus.PROCESSING),
        run=run,
        worker=worker,
        attempt=task.attempt + 1,
        progress=0,
        frames_done=0,
        stage="starting",
    )


def advanced(
    task: Task, *, run: str, progress: int, stage: str, frames_done: int = 0, frames: int = 0
) -> Task:
    """Further on; never back within one run. Frames of the whole video; 0 for as many as before."""
    held(task, run)
    return replace(
        task,
        progress=max(task.progress, min(progress, 99)),
        frames_done=max(task.frames_done, frames_done),
        frames=frames or task.frames,
        stage=stage,
    )


def completed(task: Task, *, run: str, result: Result) -> Task:
    held(task, run)
    return replace(
        moved(task, TaskStatus.COMPLETED),
        progress=100,
        frames_done=task.frames,
        stage="",
        run="",
        worker="",
        result=result,
    )


def failed(task: Task, *, run: str, error: FacecliError) -> Task:
    held(task, run)
    return replace(
        moved(task, TaskStatus.FAILED),
        stage="",
        run="",
        worker="",
        error_reason=error.reason,
        error_message=error.message,
    )


def cancelled(task: Task) -> Task:
    """Ended at once; the run that held it finds itself fenced off and stops."""
    return replace(
        moved(task, TaskStatus.CANCELLED),
        stage="",
        run="",
        worker="",
        error_reason="CANCELLED",
        error_message="the task was cancelled",
    )


def retried(task: Task) -> Task:
    """Pending again, in the next round; NotReady while it is not over."""
    if not task.ended:
        raise NotReady(f"task {task.id} is {task.status}; only an ended task can be tried again")
    return replace(
        moved(task, TaskStatus.PENDING),
        round=task.round + 1,
        attempt=0,
        crashes=0,
        progress=0,
        frames_done=0,
        error_reason="",
        error_message="",
    )


def held(task: Task, run: str) -> Task:
    """The task, when this run still holds it; TakenOver otherwise."""
    if task.status is not TaskStatus.PROCESSING or task.run != run:
        raise TakenOver(f"task {task.id} is {task.status} and no longer this run's")
    return task


class TaskRepository(Protocol):
    """Where tasks are remembered. Every change is durable when the call returns."""

    def insert(self, new: NewTask, *, task_id: str, now: float) -> Task:
        """The new task, or the one that has this owner and key already."""
        ...

    def with_key(self, owner: str, key: str) -> Task | None:
        """The one that has this key already."""
        ...

    def get(self, task_id: str, *, owner: str | None = None) -> Task:
        """TaskNotFound when there is none, or none of this owner: the same words after the same work."""
        ...

    def listed(self, owner: str, wanted: TaskFilter, *, limit: int, before: str) -> Sequence[Task]:
        """Newest first; `before` is the id that ended the page before, or empty."""
        ...

    def change(self, task_id: str, change: Change, *, now: float) -> Task:
        """Read, change and write in one transaction, with the next revision; unchanged when equal."""
        ...

    def with_status(self, status: TaskStatus) -> Sequence[Task]: ...

    def ended(self, *, before: float, after: Task | None = None) -> Sequence[Task]:
        """Those that ended before, the oldest first, not all if they are many; the next ones `after` it."""
        ...

    def delete(self, task_id: str, *, revision: int) -> bool:
        """Forget an ended task; False when it is not there, not ended, or not at this revision any more."""
        ...

    def newer(self, revisions: Mapping[str, int]) -> Sequence[Task]:
        """Of these tasks, the ones whose revision is above the given one."""
        ...
