"""The task client: creates, lists, cancels, retries, deletes and watches tasks, and reads their logs."""

import re
import sys
import uuid
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from itertools import islice

from facecli.client.calls.pages import all_items
from facecli.client.calls.unary import UnaryCalls
from facecli.client.context import ClientContext
from facecli.client.watches.separate_watches import SeparateWatches, is_missing_method
from facecli.client.watches.shared_watch import SharedWatch
from facecli.client.watches.task_watch import TaskWatch
from facecli.client.watches.tasks_watch import TaskChange, TasksWatch
from facecli.client.webhooks import check_registered, check_server, webhook_metadata
from facecli.core.backoff import Waiting
from facecli.core.errors import NotConfigured, NotReady, TaskNotFound, UnexpectedResponse
from facecli.core.video.plan import WHOLE, VideoPart
from facecli.tasks.logs.record import TaskLog
from facecli.tasks.previews.request import PreviewRequest
from facecli.tasks.provenance.chain import ChainedRecord
from facecli.tasks.provenance.terms import NO_TERMS, Terms
from facecli.tasks.task import TaskFilter
from facecli.tasks.view import TaskView
from facecli.wire import parts, previews, provenance, task_logs
from facecli.wire import tasks as wire
from facecli.wire.generated import task_service_pb2 as pb
from facecli.wire.generated import task_service_pb2_grpc as pb_grpc
from facecli.wire.generated import video_service_pb2 as video_pb
from facecli.wire.generated import video_service_pb2_grpc as video_pb_grpc

PAGE_SIZE = 100  # tasks
PREVIEW_CALLS = 3  # times as long as another call may take: an engine runs in it

_FULL_ID = re.compile("[0-9a-f]{32}")


class TaskClient:
    def __init__(self, context: ClientContext) -> None:
        self._videos = video_pb_grpc.VideoServiceStub(context.connection.channel)
        self._tasks = pb_grpc.TaskServiceStub(context.connection.channel)
        self._context = context
        self._connection = context.connection
        self._calls = UnaryCalls(context.connection)

    def create(
        self,
        *,
        image_url: str,
        video_url: str,
        engine: str,
        options: Mapping[str, str],
        part: VideoPart = WHOLE,
        key: str | None,
        fresh: bool = False,
        notify: str = "",
        terms: Terms = NO_TERMS,
    ) -> TaskView:
        """Create a task, or return the one with the same idempotency key; never an ended one if `fresh`.

        Without a key a random one makes sure that a retry of the call creates no second task. `notify` is the
        URL of a webhook for the end of the task. NotConfigured for it, and for terms, on a server that is
        too old.
        """
        request = video_pb.CreateTaskRequest(
            user_id=self._context.user,
            image_url=image_url,
            video_url=video_url,
            engine=engine,
            options=dict(options),
            fresh=fresh,
            **parts.durations(part),
        )
        metadata = (("idempotency-key", key or f"auto-{uuid.uuid4().hex}"), *webhook_metadata(notify))
        if stated := provenance.to_terms_message(terms):
            under_terms = pb.CreateTaskUnderTermsRequest(task=request, terms=stated)
            method = self._tasks.CreateTaskUnderTerms
            try:
                task = self._calls.call(method, under_terms, wire.from_wrapped, metadata=metadata)
            except UnexpectedResponse as error:
                if not is_missing_method(error):
                    raise
                raise NotConfigured(
                    "this server is too old to record a consent or a waiver; update it"
                ) from error
        else:
            task = self._calls.call(self._videos.CreateTask, request, wire.from_message, metadata=metadata)
        if notify:
            check_registered(task)
        return task

    def check(
        self, *, engine: str, options: Mapping[str, str], terms: Terms = NO_TERMS, notify: str = ""
    ) -> tuple[str, str]:
        """The name and version of the engine that would run; InvalidInput for a wrong engine or option.

        PolicyRefused for terms or a webhook that the policy of the server forbids; NotConfigured for a
        webhook if the server knows none.
        """
        metadata = webhook_metadata(notify)
        if notify:
            check_server(self._context)
        request = pb.CheckTaskRequest(
            user_id=self._context.user,
            engine=engine,
            options=dict(options),
            terms=provenance.to_terms_message(terms),
        )
        return self._calls.call(self._tasks.CheckTask, request, wire.engine_from_message, metadata=metadata)

    def preview(
        self,
        *,
        image_url: str,
        video_url: str,
        engine: str,
        options: Mapping[str, str],
        at: Sequence[int],
        terms: Terms = NO_TERMS,
    ) -> bytes:
        """A JPEG of some frames before and after, at these times in microseconds."""
        request = PreviewRequest(
            owner=self._context.user,
            image_url=image_url,
            video_url=video_url,
            engine=engine,
            options=options,
            at=at,
            terms=terms,
        )
        message = previews.to_request(request)
        timeout = PREVIEW_CALLS * self._connection.call_timeout
        return self._calls.call(
            self._tasks.PreviewTask, message, previews.image_from_message, timeout=timeout
        )

    def get(self, task_id: str) -> TaskView:
        request = video_pb.TaskStatusRequest(task_id=task_id)
        return self._calls.call(self._videos.GetTaskStatus, request, wire.from_message)

    def find(self, reference: str) -> TaskView:
        """The task with this id, this beginning of an id, or this idempotency key."""
        if _FULL_ID.fullmatch(reference):
            with suppress(TaskNotFound):  # then it may be a key that looks like an id
                return self.get(reference)
        return self.find_own(reference)

    def find_own(self, reference: str) -> TaskView:
        """As `find`, but only among the user's own tasks; TaskNotFound for another's."""
        request = pb.FindTaskRequest(user_id=self._context.user, task_id=reference)
        return self._calls.call(
            self._tasks.FindTask, request, lambda response: wire.from_message(response.task)
        )

    def listed(self, wanted: TaskFilter, *, limit: int | None = None) -> Iterator[TaskView]:
        """The user's tasks, newest first, at most `limit`."""
        most = sys.maxsize if limit is None else limit

        def fetch(token: str) -> tuple[list[TaskView], str]:
            size = min(most, PAGE_SIZE)
            request = wire.list_request(wanted, user=self._context.user, size=size, token=token)
            return self._calls.call(self._tasks.ListTasks, request, wire.page_from_message)

        return islice(all_items(fetch, unexpected=self._connection.unexpected), most)

    def log(self, task_id: str) -> TaskLog:
        request = pb.ListTaskLogsRequest(user_id=self._context.user, task_id=task_id)
        return self._calls.call(self._tasks.ListTaskLogs, request, task_logs.from_message)

    def provenance(self, task_id: str) -> ChainedRecord:
        """The provenance record of a result; ResultMissing while there is none."""
        request = pb.GetProvenanceRequest(user_id=self._context.user, task_id=task_id)
        return self._calls.call(
            self._tasks.GetProvenance, request, partial(provenance.from_message, task_id=task_id)
        )

    def watch(
        self, task_id: str, *, retry_for: float, waiting: Waiting = lambda reason, seconds: None
    ) -> Generator[TaskView, None, None]:
        """Yield the task now and after every change, until it has ended.

        A broken stream resumes after the last seen revision. Raises TimedOut at the command's deadline, and
        the last error after `retry_for` seconds without an answer.
        """
        watch = TaskWatch(
            task_id,
            self._context,
            watch_method=self._tasks.WatchTask,
            status_method=self._videos.GetTaskStatus,
            retry_for=retry_for,
        )
        return watch.changes(waiting)

    def watch_several(
        self,
        revisions: Mapping[str, int],
        *,
        retry_for: float,
        waiting: Waiting = lambda reason, seconds: None,
    ) -> Iterator[TaskChange]:
        """Yield every change of these tasks after the given revisions, until all have ended; as `watch`.

        A server without a method for several tasks is asked for each task.
        """
        watch = self._tasks_watch(revisions, retry_for)
        try:
            yield from watch.changes(waiting)
        except UnexpectedResponse as error:
            if not is_missing_method(error):
                raise
            separate = partial(self.watch, retry_for=retry_for, waiting=waiting)
            yield from SeparateWatches(revisions, separate).changes()

    def shared_watch(self, *, retry_for: float) -> SharedWatch:
        """A watch for many threads, by one stream; errors as `watch`."""
        return SharedWatch(
            lambda revisions: self._tasks_watch(revisions, retry_for),
            partial(self.watch, retry_for=retry_for),
        )

    def cancel(self, task_id: str) -> TaskView:
        request = pb.CancelTaskRequest(user_id=self._context.user, task_id=task_id)
        done = (NotReady, lambda: self.get(task_id))
        return self._calls.call(self._tasks.CancelTask, request, wire.from_wrapped, done=done)

    def retry(self, task_id: str) -> TaskView:
        request = pb.RetryTaskRequest(user_id=self._context.user, task_id=task_id)
        done = (NotReady, lambda: self.get(task_id))
        return self._calls.call(self._tasks.RetryTask, request, wire.from_wrapped, done=done)

    def delete(self, task_id: str) -> None:
        """Delete an ended task; NotReady if it has not ended."""
        request = pb.DeleteTaskRequest(user_id=self._context.user, task_id=task_id)
        done = (TaskNotFound, lambda: None)
        self._calls.call(self._tasks.DeleteTask, request, lambda response: None, done=done)

    def _tasks_watch(self, revisions: Mapping[str, int], retry_for: float) -> TasksWatch:
        return TasksWatch(
            revisions,
            self._context,
            watch_method=self._tasks.WatchTasks,
            status_method=self._videos.GetTaskStatus,
            retry_for=retry_for,
        )
