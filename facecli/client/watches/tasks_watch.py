"""The watch of several tasks by one stream, until all have ended, across breaks of the connection.

Theory of operation. As for one task (task_watch.py): silence is legal, so while the stream is silent, a
status call of a task that has not ended proves that the server is alive, and that the stream has told its
change. A broken stream resumes after the last revision of each task that has not ended.
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from facecli.client.calls.response_stream import MAX_RATE, ResponseStream
from facecli.client.calls.stall_watch import stall_limit
from facecli.client.calls.unary import UnaryCalls
from facecli.client.context import ClientContext
from facecli.client.watches.task_watch import POLL_INTERVAL
from facecli.core.backoff import Waiting
from facecli.core.errors import Cancelled, FacecliError, LimitReached, TimedOut, Unauthenticated, Unavailable
from facecli.tasks.view import TaskView
from facecli.wire import tasks as wire
from facecli.wire.generated import task_service_pb2 as pb
from facecli.wire.generated import video_service_pb2 as video_pb


class TaskChange(NamedTuple):
    """A change of a task; `task` is None when it has been deleted."""

    task_id: str
    task: TaskView | None


class TasksWatch:
    """Watches tasks after these revisions, by id; 0 for the current state."""

    def __init__(
        self,
        revisions: Mapping[str, int],
        context: ClientContext,
        *,
        watch_method: Any,
        status_method: Any,
        retry_for: float,
    ) -> None:
        self._running = dict(revisions)
        self._context = context
        self._connection = context.connection
        self._calls = UnaryCalls(context.connection)
        self._watch_method = watch_method
        self._status_method = status_method
        self._stall_limit = stall_limit(retry_for, self._connection.call_timeout)
        self._budget = context.retry_budget(retry_for)
        self._responses: ResponseStream[Any] | None = None
        self._interrupted = False

    def interrupt(self) -> None:
        """End `changes` without an error, from another thread; after a wait for a server that is away."""
        self._interrupted = True
        if responses := self._responses:
            responses.interrupt()

    def changes(self, waiting: Waiting) -> Iterator[TaskChange]:
        """Yield every change, until all tasks have ended or `interrupt` is called."""
        while self._running and not self._interrupted:
            try:
                yield from self._stream()
            except TimedOut:
                raise self._timed_out() from None
            except Cancelled:
                if not self._interrupted:
                    raise
                return
            except Unauthenticated:
                if not self._connection.has_new_token():
                    raise
            except (Unavailable, LimitReached) as error:
                if self._interrupted:
                    return
                if not error.retryable or not self._budget.wait(error, waiting):
                    raise

    def _stream(self) -> Iterator[TaskChange]:
        """The changes that one stream tells; Unavailable when it ends before the tasks."""
        tasks = [pb.WatchedTask(task_id=each, after_revision=last) for each, last in self._running.items()]
        call = self._watch_method(
            pb.WatchTasksRequest(user_id=self._context.user, tasks=tasks),
            timeout=self._connection.deadline.left(),
            metadata=self._connection.metadata,
        )
        with ResponseStream(
            call,
            wire.changes_from_message,
            connection=self._connection,
            limit=min(POLL_INTERVAL, self._stall_limit / 2),
            is_alive=self._is_alive,
            max_rate=MAX_RATE,
        ) as stream:
            self._responses = stream
            if self._interrupted:
                return
            for changed, deleted in stream:
                stream.progressed()
                yield from self._changes(changed, deleted)
                if not self._running:
                    return
        raise Unavailable("the watch ended before the tasks")

    def _changes(self, changed: list[TaskView], deleted: list[str]) -> Iterator[TaskChange]:
        """The changes of a message that are new."""
        for task in changed:
            if task.revision > self._running.get(task.id, task.revision):
                self._budget.progressed()
                self._running[task.id] = task.revision
                if task.ended:
                    del self._running[task.id]
                yield TaskChange(task.id, task)
        for task_id in deleted:
            if self._running.pop(task_id, None) is not None:
                self._budget.progressed()
                yield TaskChange(task_id, None)

    def _timed_out(self) -> TimedOut:
        ids = list(self._running)
        if len(ids) == 1:
            return self._connection.deadline.error(f"task {ids[0]}", "it is still running")
        return self._connection.deadline.error(f"{len(ids)} tasks", "they are still running")

    def _is_alive(self) -> bool:
        """Ask for the status of a task; false without an answer, or with one that the stream has not told."""
        task_id, revision = next(iter(self._running.items()), ("", 0))
        try:
            polled = self._calls.call(
                self._status_method,
                video_pb.TaskStatusRequest(task_id=task_id),
                wire.from_message,
                retry_for=0,
                timeout=min(self._connection.call_timeout, self._stall_limit),
            )
        except LimitReached:
            return True  # refused, but answered
        except FacecliError:
            return False
        return polled.revision <= revision
