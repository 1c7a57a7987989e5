"""The task client: creates, lists, cancels, retries and deletes tasks, and watches them up to a deadline."""

import math
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress

from facecli.client.context import ClientContext
from facecli.core.backoff import RetryBudget
from facecli.core.errors import (
    FacecliError,
    ServerUnreachable,
    TaskNotFound,
    TimedOut,
    TooManyCalls,
    Unauthenticated,
    Unavailable,
)
from facecli.tasks.task import TaskFilter
from facecli.tasks.view import TaskView
from facecli.wire import tasks as wire
from facecli.wire.generated import task_service_pb2 as pb
from facecli.wire.generated import task_service_pb2_grpc as pb_grpc
from facecli.wire.generated import video_service_pb2 as video_pb
from facecli.wire.generated import video_service_pb2_grpc as video_pb_grpc

_FULL_ID = re.compile("[0-9a-f]{32}")


class TaskClient:
    def __init__(self, context: ClientContext) -> None:
        self._videos = video_pb_grpc.VideoServiceStub(context.connection.channel)
        self._tasks = pb_grpc.TaskServiceStub(context.connection.channel)
        self._context = context
        self._connection = context.connection

    def create(
        self,
        *,
        image_url: str,
        video_url: str,
        engine: str,
        options: Mapping[str, str],
        key: str | None,
        fresh: bool = False,
    ) -> TaskView:
        """Create a task, or return the one with the same idempotency key; never an ended one if `fresh`."""
        request = video_pb.CreateTaskRequest(
            user_id=self._context.user,
            image_url=image_url,
            video_url=video_url,
            engine=engine,
            options=dict(options),
            fresh=fresh,
        )
        metadata = (("idempotency-key", key),) if key else ()
        return wire.from_message(self._connection.call(self._videos.CreateTask, request, metadata=metadata))

    def check(self, *, engine: str, options: Mapping[str, str]) -> tuple[str, str]:
        """The name and version of the engine that would run; InvalidInput for a wrong engine or option."""
        request = pb.CheckTaskRequest(user_id=self._context.user, engine=engine, options=dict(options))
        answer = self._connection.call(self._tasks.CheckTask, request)
        return answer.engine, answer.engine_version

    def get(self, task_id: str) -> TaskView:
        request = video_pb.TaskStatusRequest(task_id=task_id)
        return wire.from_message(self._connection.call(self._videos.GetTaskStatus, request))

    def find(self, reference: str) -> TaskView:
        """The task with this id, this beginning of an id, or this idempotency key."""
        if _FULL_ID.fullmatch(reference):
            with suppress(TaskNotFound):  # then it may be a key that looks like an id
                return self.get(reference)
        request = pb.FindTaskRequest(user_id=self._context.user, task_id=reference)
        return wire.from_message(self._connection.call(self._tasks.FindTask, request).task)

    def listed(self, wanted: TaskFilter, *, limit: int | None = None) -> Iterator[TaskView]:
        """The user's tasks, newest first, at most `limit`; fetched by the page."""
        token, left = "", math.inf if limit is None else limit
        while left > 0:
            size = int(min(left, 100))
            request = wire.list_request(wanted, user=self._context.user, size=size, token=token)
            answer = self._connection.call(self._tasks.ListTasks, request)
            yield from map(wire.from_message, answer.tasks)
            left -= len(answer.tasks)
            token = answer.next_page_token
            if not token:
                return

    def watch(
        self,
        task_id: str,
        *,
        retry_for: float,
        timeout: float | None = None,
        waiting: Callable[[str, float], None],
    ) -> Iterator[TaskView]:
        """Yield the task now and after every change, until it has ended.

        A broken stream resumes after the last seen revision. Raises TimedOut after `timeout` seconds (the
        deadline), and the last error after `retry_for` seconds without an answer.
        """
        retry_budget = self._context.retry_budget(retry_for)
        clock = self._context.clock
        deadline = None if timeout is None else clock() + timeout
        task: TaskView | None = None
        while task is None or not task.ended:
            request = pb.WatchTaskRequest(
                user_id=self._context.user, task_id=task_id, after_revision=task.revision if task else 0
            )
            left = None if deadline is None else max(0.0, deadline - clock())
            try:
                with self._connection.translated_errors():
                    for answer in self._tasks.WatchTask(
                        request, timeout=left, metadata=self._connection.metadata
                    ):
                        task = wire.from_message(answer.task)
                        retry_budget.progressed()
                        yield task
            except Unauthenticated:
                if not self._connection.has_new_token():
                    raise
            except (Unavailable, TimedOut, TooManyCalls) as error:
                if deadline is not None and clock() >= deadline:
                    raise TimedOut(
                        f"task {task_id} had not ended after {timeout:g} s; it is still running"
                    ) from error
                self._pause(error, retry_budget, waiting, first=task is None)

    def cancel(self, task_id: str) -> TaskView:
        request = pb.CancelTaskRequest(user_id=self._context.user, task_id=task_id)
        return wire.from_message(self._connection.call(self._tasks.CancelTask, request).task)

    def retry(self, task_id: str) -> TaskView:
        request = pb.RetryTaskRequest(user_id=self._context.user, task_id=task_id)
        return wire.from_message(self._connection.call(self._tasks.RetryTask, request).task)

    def delete(self, task_id: str) -> None:
        """Delete an ended task; NotReady if it has not ended."""
        request = pb.DeleteTaskRequest(user_id=self._context.user, task_id=task_id)
        self._connection.call(self._tasks.DeleteTask, request)

    def _pause(
        self,
        error: FacecliError,
        retry_budget: RetryBudget,
        waiting: Callable[[str, float], None],
        *,
        first: bool,
    ) -> None:
        if first and isinstance(error, ServerUnreachable):
            raise error
        if not retry_budget.wait(error, waiting):
            raise error
