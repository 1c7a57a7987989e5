"""The watch of one task: its changes until it ends, across breaks of the connection.

Theory of operation. A task that waits for a worker changes for hours without a message, so silence is legal
and proves nothing about the server. While the stream is silent, a status call every POLL_INTERVAL proves that
the server is alive, and finds a change that the stream has not told. A stream that ends before its task and a
server that does not answer the status call are breaks like any other: the watch resumes after the last
revision, with backoff, until `retry_for` has passed without an answer.
"""

from collections.abc import Generator, Iterator
from typing import Any

from facecli.client.calls.response_stream import MAX_RATE, ResponseStream
from facecli.client.calls.stall_watch import stall_limit
from facecli.client.calls.unary import UnaryCalls
from facecli.client.context import ClientContext
from facecli.core.backoff import Waiting
from facecli.core.errors import FacecliError, LimitReached, TimedOut, Unauthenticated, Unavailable
from facecli.tasks.view import TaskView
from facecli.wire import tasks as wire
from facecli.wire.generated import task_service_pb2 as pb
from facecli.wire.generated import video_service_pb2 as video_pb

POLL_INTERVAL = 30.0  # seconds of silence


class TaskWatch:
    """Watches one task."""

    def __init__(
        self, task_id: str, context: ClientContext, *, watch_method: Any, status_method: Any, retry_for: float
    ) -> None:
        self._task_id = task_id
        self._context = context
        self._connection = context.connection
        self._calls = UnaryCalls(context.connection)
        self._watch_method = watch_method
        self._status_method = status_method
        self._stall_limit = stall_limit(retry_for, self._connection.call_timeout)
        self._budget = context.retry_budget(retry_for)
        self._task: TaskView | None = None
        self._polled: TaskView | FacecliError | None = None

    def changes(self, waiting: Waiting) -> Generator[TaskView, None, None]:
        """Yield the task now and after every change, until it has ended."""
        while self._task is None or not self._task.ended:
            try:
                yield from self._stream()
            except TimedOut:
                raise self._connection.deadline.error(
                    f"task {self._task_id}", "it is still running"
                ) from None
            except Unauthenticated:
                if not self._connection.has_new_token():
                    raise
            except (Unavailable, LimitReached) as error:
                if not error.retryable or not self._budget.wait(error, waiting):
                    raise

    def _stream(self) -> Iterator[TaskView]:
        """The changes that one stream tells; Unavailable when it ends before the task."""
        self._polled = None
        request = pb.WatchTaskRequest(
            user_id=self._context.user, task_id=self._task_id, after_revision=self._revision
        )
        call = self._watch_method(
            request, timeout=self._connection.deadline.left(), metadata=self._connection.metadata
        )
        with ResponseStream(
            call,
            wire.from_wrapped,
            connection=self._connection,
            limit=min(POLL_INTERVAL, self._stall_limit / 2),
            is_alive=self._is_alive,
            max_rate=MAX_RATE,
        ) as stream:
            try:
                for task in stream:
                    stream.progressed()
                    yield from self._newer(task)
            except Unavailable as error:
                yield from self._found_by_poll(error)
        if self._task is None or not self._task.ended:
            raise Unavailable(f"the watch of task {self._task_id} ended before the task")

    def _newer(self, task: TaskView) -> Iterator[TaskView]:
        """The task unless this revision has been seen."""
        if self._task is None or task.revision > self._task.revision:
            self._task = task
            self._budget.progressed()
            yield task

    def _found_by_poll(self, error: Unavailable) -> Iterator[TaskView]:
        """The change that only the status call has shown; otherwise its error or that of the stream."""
        if isinstance(self._polled, TaskView):
            yield from self._newer(self._polled)
            return
        raise self._polled or error

    @property
    def _revision(self) -> int:
        return self._task.revision if self._task else 0

    def _is_alive(self) -> bool:
        """Ask for the status; false when the server does not answer, or knows more than the stream told."""
        request = video_pb.TaskStatusRequest(task_id=self._task_id)
        try:
            polled = self._calls.call(
                self._status_method,
                request,
                wire.from_message,
                retry_for=0,
                timeout=min(self._connection.call_timeout, self._stall_limit),
            )
        except LimitReached:
            return True  # refused, but answered
        except FacecliError as error:
            self._polled = error
            return False
        if self._task is None or polled.revision > self._revision:
            self._polled = polled
            return False
        return True
