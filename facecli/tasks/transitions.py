"""The state machine of a task: legal moves, and pure functions that make them.

Theory of operation. A transition takes a task and returns the changed task; the repository applies it
atomically. `MOVES` is the only table of legal moves. Fencing: `claim` writes the fencing token of a new
run into the task, and every transition of a run requires that token, so a run that lost its task can change
nothing, however late it resumes. `cancel` needs no token: it invalidates that of the run.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from facecli.core.errors import FacecliError, NotReady, TakenOver, TaskEnded
from facecli.core.video.figures import SwapFigures
from facecli.tasks.logs.redaction import redacted
from facecli.tasks.task import Result, Task, TaskStatus

_S = TaskStatus
MOVES: Mapping[TaskStatus, frozenset[TaskStatus]] = {
    _S.PENDING: frozenset({_S.PROCESSING, _S.CANCELLED}),
    _S.PROCESSING: frozenset({_S.PENDING, _S.PROCESSING, _S.COMPLETED, _S.FAILED, _S.CANCELLED}),
    _S.COMPLETED: frozenset(),
    _S.FAILED: frozenset({_S.PENDING}),
    _S.CANCELLED: frozenset({_S.PENDING}),
}

Change = Callable[[Task], Task]

MAX_NOTES = 20  # of one task


def move(task: Task, status: TaskStatus) -> Task:
    """Change the status; TaskEnded or NotReady when that move is not legal."""
    if status not in MOVES[task.status]:
        kind = TaskEnded if task.ended else NotReady
        raise kind(f"task {task.id} is {task.status}; it cannot become {status}")
    return replace(task, status=status)


def check_held(task: Task, run: str) -> Task:
    """Return the task if this run holds it; TakenOver otherwise."""
    if task.status is not TaskStatus.PROCESSING or task.run != run:
        raise TakenOver(f"task {task.id} is {task.status} and no longer held by this run")
    return task


def claim(task: Task, *, run: str, worker: str) -> Task:
    """Give the task to a worker, and fence off every earlier run."""
    return replace(
        move(task, TaskStatus.PROCESSING),
        run=run,
        worker=worker,
        attempt=task.attempt + 1,
        progress=0,
        frames_done=0,
        stage="starting",
    )


def advance(
    task: Task, *, run: str, progress: int, stage: str, frames_done: int = 0, frames: int = 0
) -> Task:
    """Record progress, which never decreases within a run. `frames` to swap; 0 if unchanged."""
    check_held(task, run)
    return replace(
        task,
        progress=max(task.progress, min(progress, 99)),
        frames_done=max(task.frames_done, frames_done),
        frames=frames or task.frames,
        stage=stage,
    )


def note(task: Task, *, run: str, notes: Sequence[str]) -> Task:
    """Record what the result will lack. A retry keeps the notes with the checkpoints they are about."""
    check_held(task, run)
    more = [f"{len(notes) - MAX_NOTES} more"] if len(notes) > MAX_NOTES else []
    return replace(task, notes=(*notes[:MAX_NOTES], *more))


def count(task: Task, *, run: str, figures: SwapFigures | None) -> Task:
    """Record what became of the frames of all finished segments, also those of earlier runs."""
    check_held(task, run)
    return replace(task, figures=figures)


def complete(
    task: Task, *, run: str, result: Result, sheet: Result | None = None, engine_version: str = ""
) -> Task:
    """Publish the result and its contact sheet; `engine_version` is that of the engine, if it is known."""
    check_held(task, run)
    return replace(
        move(task, TaskStatus.COMPLETED),
        progress=100,
        frames_done=task.frames,
        stage="",
        run="",
        worker="",
        result=result,
        sheet=sheet,
        engine_version=engine_version or task.engine_version,
    )


def fail(task: Task, *, run: str, error: FacecliError) -> Task:
    """End the task with an error, whose message may be an engine's: its owner must not see secrets."""
    check_held(task, run)
    return replace(
        move(task, TaskStatus.FAILED),
        stage="",
        run="",
        worker="",
        error_reason=error.reason,
        error_message=redacted(error.message),
    )


def cancel(task: Task) -> Task:
    """End the task at once; the run that held it is fenced off and stops."""
    return replace(
        move(task, TaskStatus.CANCELLED),
        stage="",
        run="",
        worker="",
        error_reason="CANCELLED",
        error_message="the task was cancelled",
    )


def retry(task: Task) -> Task:
    """Start the next round of a failed or cancelled task; NotReady while it has not ended."""
    if not task.ended:
        raise NotReady(f"task {task.id} is {task.status}; only an ended task can be retried")
    return replace(
        move(task, TaskStatus.PENDING),
        round=task.round + 1,
        attempt=0,
        crashes=0,
        progress=0,
        frames_done=0,
        error_reason="",
        error_message="",
    )
