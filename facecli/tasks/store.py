"""TaskStore: changes stored tasks, and publishes the changes as domain events."""

import uuid
from collections.abc import Callable, Iterator

from facecli.core.events import (
    Event,
    EventBus,
    FramesSwapped,
    TaskCrashed,
    TaskCreated,
    TaskDeleted,
    TaskEnded,
    TaskRequeued,
    TaskRetried,
    TaskStarted,
)
from facecli.tasks.repository import TaskRepository
from facecli.tasks.task import NewTask, Task, TaskStatus
from facecli.tasks.transitions import Change
from facecli.uploads.quota import Admit


class TaskStore:
    """The one way to change tasks: stamps every change with the clock, and publishes it once it is durable.

    Reads go to `repository` directly.
    """

    def __init__(self, repository: TaskRepository, *, clock: Callable[[], float], events: EventBus) -> None:
        self.repository = repository
        self.clock = clock
        self._events = events

    def create(self, new: NewTask, *, admit: Admit | None = None) -> Task:
        """Store a new task; return the existing one if its owner used this idempotency key before.

        `admit` may refuse it, by the usage of its owner.
        """
        task_id = uuid.uuid4().hex
        task = self.repository.insert(new, task_id=task_id, now=self.clock(), admit=admit)
        if task.id == task_id:
            self._events.publish(
                TaskCreated(
                    task_id=task.id,
                    owner=task.owner,
                    engine=task.engine,
                    request_id=task.origin.request_id,
                )
            )
        return task

    def change(
        self,
        task_id: str,
        change: Change,
        *,
        max_stored: int = 0,
        record: str = "",
        admit: Admit | None = None,
    ) -> Task:
        """Apply a transition; raises what the transition raises, and TaskNotFound.

        QuotaReached if a result would take its owner beyond `max_stored` bytes. `record` is the provenance
        record of a completion, which is stored with it or not at all. `admit` may refuse the change, by the
        usage of the owner.
        """
        before: list[Task] = []

        def recorded(task: Task) -> Task:
            before.append(task)
            return change(task)

        after = self.repository.change(
            task_id, recorded, now=self.clock(), max_stored=max_stored, record=record, admit=admit
        )
        for event in events_of(before[-1], after):
            self._events.publish(event)
        return after

    def publish_frames(self, task: Task, frames: int) -> None:
        """Publish that the engine of a task has swapped so many more frames."""
        self._events.publish(FramesSwapped(task_id=task.id, engine=task.engine, frames=frames))

    def delete(self, task: Task, *, cause: str) -> bool:
        """Delete an ended task; False when it has changed since, or is gone."""
        if not self.repository.delete(task.id, revision=task.revision):
            return False
        self._events.publish(TaskDeleted(task_id=task.id, cause=cause))
        return True


def events_of(before: Task, after: Task) -> Iterator[Event]:
    """The events of a change; none for mere progress."""
    request_id = after.origin.request_id
    if after.crashes > before.crashes:
        yield TaskCrashed(task_id=after.id, engine=after.engine)
    if after.round > before.round:
        yield TaskRetried(task_id=after.id, round=after.round, request_id=request_id)
    elif after.attempt > before.attempt:
        yield TaskStarted(
            task_id=after.id,
            engine=after.engine,
            worker=after.worker,
            attempt=after.attempt,
            request_id=request_id,
        )
    elif after.ended and after.status is not before.status:
        yield TaskEnded(
            task_id=after.id,
            engine=after.engine,
            status=after.status,
            reason=after.error_reason,
            message=after.error_message,
            request_id=request_id,
        )
    elif before.status is TaskStatus.PROCESSING and after.status is TaskStatus.PENDING:
        yield TaskRequeued(task_id=after.id, engine=after.engine, worker=before.worker, request_id=request_id)
