"""Claims and fencing: a worker's exclusive hold on a task.

Theory of operation. The queue delivers a task at least once, so two workers may run the same task. A `Claim`
is the right of one delivery to one task, and its `run` is the fencing token. Taking a pending task starts an
attempt; taking it again, after a failure that can be retried, starts the next attempt of the same delivery. A
claim that lost its task can never take it again: by then the queue has delivered it to another worker.
Crashes of workers and of ffmpeg are counted per task, so a task that keeps killing workers eventually fails.
A finished checkpoint resets the count: only crashes without progress in between fail a task, however long it
is and however unreliable its machines.
"""

import uuid
from dataclasses import replace

from facecli.core.errors import FacecliError, ProgramKilled, TakenOver
from facecli.tasks import transitions
from facecli.tasks.store import TaskStore
from facecli.tasks.task import Task, TaskStatus
from facecli.tasks.worker_end import UNKNOWN, WorkerEnd


class Claim:
    """The right of one delivery by the queue to run a task."""

    def __init__(self, *, worker: str) -> None:
        self.run = uuid.uuid4().hex
        self._worker = worker
        self._taken = False

    def take(self, tasks: TaskStore, task_id: str) -> Task:
        """Start the next attempt. TakenOver when another run holds the task, NotReady when it has ended."""
        task = tasks.change(task_id, self._start_attempt)
        self._taken = True
        return task

    def _start_attempt(self, task: Task) -> Task:
        if self._taken or task.status is TaskStatus.PROCESSING:
            transitions.check_held(task, self.run)
        return transitions.claim(task, run=self.run, worker=self._worker)


def record_crash(task: Task, *, run: str, max_crashes: int, error: FacecliError) -> Task:
    """Count one crash of a worker or of ffmpeg; fail the task with `error` after `max_crashes`."""
    transitions.check_held(task, run)
    crashed = replace(task, crashes=task.crashes + 1)
    if crashed.crashes >= max_crashes:
        return transitions.fail(crashed, run=run, error=error)
    return crashed


def reset_crashes(task: Task, *, run: str) -> Task:
    """Count crashes from zero again, because the run has finished a checkpoint."""
    return replace(transitions.check_held(task, run), crashes=0)


def release_after_crash(task: Task, *, run: str, max_crashes: int, end: WorkerEnd = UNKNOWN) -> Task:
    """Requeue the task of a dead worker, or fail it after too many crashes; no change if the run lost it."""
    if not _holds(task, run):
        return task
    attempts = "attempt" if max_crashes == 1 else "attempts"
    hint = f"; {end.hint}" if end.hint else ""
    error = ProgramKilled(
        f"{max_crashes} {attempts} crashed without progress; at the last, its worker {end.description}{hint}"
    )
    crashed = record_crash(task, run=run, max_crashes=max_crashes, error=error)
    return crashed if crashed.ended else release(crashed, run=run)


def release(task: Task, *, run: str) -> Task:
    """Requeue the task of a worker that shuts down; no change if the run lost it.

    Its progress stays visible until the next attempt starts.
    """
    if not _holds(task, run):
        return task
    return replace(transitions.move(task, TaskStatus.PENDING), stage="", run="", worker="")


def _holds(task: Task, run: str) -> bool:
    try:
        transitions.check_held(task, run)
    except TakenOver:
        return False
    return True
