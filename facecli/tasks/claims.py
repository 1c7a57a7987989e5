"""A worker's hold on a task: taken from the queue, gone on with, record_crash, lost, or given back."""

import uuid
from dataclasses import replace

from facecli.core.errors import FacecliError, ProgramKilled, TakenOver
from facecli.tasks import task as tasks
from facecli.tasks.task import Task, TaskRepository, TaskStatus


class Claim:
    """What one delivery by the queue has of a task: the right to take it, and to begin anew what it has.

    What it lost it cannot take a second time: by then the queue has given the task to another.
    """

    def __init__(self, *, worker: str) -> None:
        self.run = uuid.uuid4().hex
        self._worker = worker
        self._taken = False

    def take(self, repository: TaskRepository, task_id: str, *, now: float) -> Task:
        """The task in its next attempt. TakenOver when another run has it, NotReady when it has ended."""
        task = repository.change(task_id, self._attempt, now=now)
        self._taken = True
        return task

    def _attempt(self, task: Task) -> Task:
        if self._taken or task.status is TaskStatus.PROCESSING:
            tasks.held(task, self.run)
        return tasks.claimed(task, run=self.run, worker=self._worker)


def record_crash(task: Task, *, run: str, most: int, error: FacecliError) -> Task:
    """One death more of who works on it; the last of `most` fails it with the error."""
    tasks.held(task, run)
    hit = replace(task, crashes=task.crashes + 1)
    return tasks.failed(hit, run=run, error=error) if hit.crashes >= most else hit


def lost(task: Task, *, run: str, most: int) -> Task:
    """Back to the queue because the worker died, or failed if that was the last of `most` crashes.

    As it is when this run does not have it any more.
    """
    if not _has(task, run):
        return task
    error = ProgramKilled(f"its worker was killed {most} times; perhaps the task is too large for it")
    hit = record_crash(task, run=run, most=most, error=error)
    return hit if hit.ended else given_back(hit, run=run)


def given_back(task: Task, *, run: str) -> Task:
    """Back to the queue because the worker ends as it should; as it is when this run does not have it.

    How far the attempt came stays to be seen until the next one begins.
    """
    if not _has(task, run):
        return task
    return replace(tasks.moved(task, TaskStatus.PENDING), stage="", run="", worker="")


def _has(task: Task, run: str) -> bool:
    try:
        tasks.held(task, run)
    except TakenOver:
        return False
    return True
