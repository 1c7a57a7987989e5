"""TaskService: watches, lists, cancels, retries and deletes tasks, and reads their logs."""

import logging
import threading
from collections.abc import Callable
from contextlib import ExitStack

import grpc

from facecli.api.admission import Admissions
from facecli.api.audit import MAX_SUBJECTS
from facecli.api.call_context import CallContext
from facecli.api.pagination import page
from facecli.api.task_changes import TaskChanges
from facecli.core.errors import FacecliError, Unauthenticated, Unavailable
from facecli.rpc.calls import Calls, notify_url_of
from facecli.rpc.interceptors.wrapping import close_at_end, without_thread
from facecli.rpc.send_pool import SendPool
from facecli.rpc.videos import created
from facecli.rpc.watch_stream import Encoder, Send, TasksWatcher, Watcher, WatchStream
from facecli.tasks.previews.previews import Previews
from facecli.tasks.service import TaskService
from facecli.webhooks.service import Webhooks
from facecli.wire import previews, provenance, task_logs
from facecli.wire import tasks as wire
from facecli.wire.generated import task_service_pb2 as pb
from facecli.wire.generated import task_service_pb2_grpc as pb_grpc
from facecli.wire.provenance import terms_from_message

_log = logging.getLogger(__name__)


class TaskServicer(pb_grpc.TaskServiceServicer):
    def __init__(
        self,
        task_service: TaskService,
        previews: Previews,
        webhooks: Webhooks,
        *,
        calls: Calls,
        admissions: Admissions,
        send_pool: SendPool,
    ) -> None:
        self._task_service = task_service
        self._previews = previews
        self._webhooks = webhooks
        self._calls = calls
        self._admissions = admissions
        self._send_pool = send_pool
        self._encoder = Encoder()
        self._watchers = dict[WatchStream, CallContext]()
        self._draining = threading.Event()

    @without_thread
    def WatchTask(  # type: ignore[override]  # sends through `send`: interceptors/wrapping.py
        self, request: pb.WatchTaskRequest, context: grpc.ServicerContext, send: Send
    ) -> None:
        call = self._calls.of(context)
        call.concerns("task", request.task_id)
        owner = call.user(request.user_id)
        watcher = Watcher(
            context,
            send,
            after=request.after_revision,
            send_pool=self._send_pool,
            encoder=self._encoder,
            request_id=call.request_id,
        )
        self._run(
            watcher,
            call,
            context,
            lambda: self._task_service.watch(request.task_id, watcher.changed, owner=owner),
        )

    @without_thread
    def WatchTasks(  # type: ignore[override]
        self, request: pb.WatchTasksRequest, context: grpc.ServicerContext, send: Send
    ) -> None:
        call = self._calls.of(context)
        for task in request.tasks[:MAX_SUBJECTS]:
            call.concerns("task", task.task_id)
        changes = TaskChanges(
            {task.task_id: task.after_revision for task in request.tasks},
            owner=call.user(request.user_id),
            all=request.all,
            read=self._task_service.several,
        )
        watcher = TasksWatcher(
            context, send, changes=changes, send_pool=self._send_pool, request_id=call.request_id
        )
        self._run(
            watcher,
            call,
            context,
            lambda: self._task_service.watch_selection(changes.selection, watcher.changed),
        )

    def _run(
        self,
        watcher: WatchStream,
        call: CallContext,
        context: grpc.ServicerContext,
        subscribe: Callable[[], Callable[[], None]],
    ) -> None:
        """Have the watcher send what the subscription tells it, until the call ends; returns at once."""
        with ExitStack() as stack:
            stack.enter_context(self._admissions.watchers.acquire(call.authenticated_user))
            stack.callback(subscribe())
            self._watchers[watcher] = call
            stack.callback(self._watchers.pop, watcher)
            if self._draining.is_set():
                watcher.end(_shutting_down())
            close_at_end(context, stack)

    def recheck(self) -> None:
        """End every watcher whose token is revoked or expired: it has no thread to find out by itself.

        The others send a sign of life if they need one.
        """
        failures: list[FacecliError] = []
        for watcher, call in tuple(self._watchers.items()):
            try:
                call.active()
                watcher.keep_alive()
            except Unauthenticated as error:
                call.refuse(error)
                watcher.end(error)
            except FacecliError as error:
                failures.append(error)
        if failures:
            _log.warning(
                "cannot recheck tokens of watchers",
                extra={"watchers": len(failures), "error": failures[0].message},
            )

    def drain(self) -> None:
        """End every watcher, so that the server can stop."""
        self._draining.set()
        for watcher in tuple(self._watchers):
            watcher.end(_shutting_down())

    def CheckTask(self, request: pb.CheckTaskRequest, context: grpc.ServicerContext) -> pb.CheckTaskResponse:
        call = self._calls.of(context)
        terms = terms_from_message(request.terms, by=call.declarer(request.user_id))
        if url := notify_url_of(context):
            self._webhooks.check(url)
        engine, version = self._task_service.check(
            engine=request.engine, options=request.options, terms=terms
        )
        return pb.CheckTaskResponse(engine=engine, engine_version=version)

    def CreateTaskUnderTerms(
        self, request: pb.CreateTaskUnderTermsRequest, context: grpc.ServicerContext
    ) -> pb.CreateTaskUnderTermsResponse:
        call = self._calls.of(context)
        terms = terms_from_message(request.terms, by=call.declarer(request.task.user_id))
        with self._admissions.creations.acquire(call.authenticated_user):
            task = created(self._task_service, self._webhooks, request.task, context, call, terms=terms)
        return pb.CreateTaskUnderTermsResponse(task=task)

    def GetProvenance(
        self, request: pb.GetProvenanceRequest, context: grpc.ServicerContext
    ) -> pb.GetProvenanceResponse:
        owner = self._calls.of(context).user(request.user_id)
        return provenance.to_message(self._task_service.provenance(request.task_id, owner=owner))

    def PreviewTask(
        self, request: pb.PreviewTaskRequest, context: grpc.ServicerContext
    ) -> pb.PreviewTaskResponse:
        call = self._calls.of(context)
        wanted = previews.from_request(request, owner=call.user(request.user_id))
        with self._admissions.previews.acquire(call.authenticated_user):
            return previews.to_message(self._previews.make(wanted, active=call.active))

    def FindTask(self, request: pb.FindTaskRequest, context: grpc.ServicerContext) -> pb.FindTaskResponse:
        owner = self._calls.of(context).user(request.user_id)
        task = self._task_service.find(request.task_id, owner=owner)
        return pb.FindTaskResponse(task=wire.to_message(task, self._webhooks.view(task)))

    def ListTasks(self, request: pb.ListTasksRequest, context: grpc.ServicerContext) -> pb.ListTasksResponse:
        owner = self._calls.of(context).user(request.user_id)
        tasks, token = page(
            request.page_size,
            lambda limit: self._task_service.listed(
                wire.task_filter(request), owner=owner, limit=limit, before=request.page_token
            ),
        )
        return pb.ListTasksResponse(tasks=[wire.to_message(task) for task in tasks], next_page_token=token)

    def ListTaskLogs(
        self, request: pb.ListTaskLogsRequest, context: grpc.ServicerContext
    ) -> pb.ListTaskLogsResponse:
        owner = self._calls.of(context).user(request.user_id)
        return task_logs.to_message(self._task_service.log(request.task_id, owner=owner))

    def CancelTask(
        self, request: pb.CancelTaskRequest, context: grpc.ServicerContext
    ) -> pb.CancelTaskResponse:
        call = self._calls.of(context)
        owner = call.user(request.user_id)
        task = self._task_service.cancel(request.task_id, owner=owner)
        return pb.CancelTaskResponse(task=wire.to_message(task))

    def RetryTask(self, request: pb.RetryTaskRequest, context: grpc.ServicerContext) -> pb.RetryTaskResponse:
        call = self._calls.of(context)
        owner = call.user(request.user_id)
        task = self._task_service.retry(request.task_id, owner=owner, origin=call.origin)
        return pb.RetryTaskResponse(task=wire.to_message(task))

    def DeleteTask(
        self, request: pb.DeleteTaskRequest, context: grpc.ServicerContext
    ) -> pb.DeleteTaskResponse:
        call = self._calls.of(context)
        owner = call.user(request.user_id)
        self._task_service.delete(request.task_id, owner=owner)
        return pb.DeleteTaskResponse()


def _shutting_down() -> Unavailable:
    return Unavailable("the server is shutting down; watch again from the last revision")
