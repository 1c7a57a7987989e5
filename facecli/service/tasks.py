"""TaskService: tasks watched, listed, cancelled, run again."""

import threading
from collections.abc import Iterator

import grpc

from facecli.core.errors import Unavailable
from facecli.core.task_board import TaskBoard
from facecli.service.admission import Admission
from facecli.service.callers import Callers
from facecli.service.pages import page
from facecli.wire import tasks as wire
from facecli.wire.generated import task_service_pb2 as pb
from facecli.wire.generated import task_service_pb2_grpc as pb_grpc


class TaskService(pb_grpc.TaskServiceServicer):
    def __init__(
        self, board: TaskBoard, *, callers: Callers, admission: Admission, draining: threading.Event
    ) -> None:
        self._board = board
        self._callers = callers
        self._admission = admission
        self._draining = draining

    def WatchTask(
        self, request: pb.WatchTaskRequest, context: grpc.ServicerContext
    ) -> Iterator[pb.WatchTaskResponse]:
        caller = self._callers.of(context)
        with self._admission.place():
            changes = self._board.follow(
                request.task_id,
                owner=caller.user(request.user_id),
                after=request.after_revision,
                stopped=lambda: self._draining.is_set() or not caller.active(),
            )
            for task in changes:
                yield pb.WatchTaskResponse(task=wire.to_message(task))
        if self._draining.is_set():
            raise Unavailable("the server is shutting down; watch again from the last revision")

    def ListTasks(self, request: pb.ListTasksRequest, context: grpc.ServicerContext) -> pb.ListTasksResponse:
        owner = self._callers.of(context).user(request.user_id)
        tasks, token = page(
            request.page_size,
            lambda limit: self._board.listed(
                owner=owner, status=request.status, limit=limit, before=request.page_token
            ),
        )
        return pb.ListTasksResponse(tasks=[wire.to_message(task) for task in tasks], next_page_token=token)

    def CancelTask(
        self, request: pb.CancelTaskRequest, context: grpc.ServicerContext
    ) -> pb.CancelTaskResponse:
        owner = self._callers.of(context).user(request.user_id)
        task = self._board.cancel(request.task_id, owner=owner)
        return pb.CancelTaskResponse(task=wire.to_message(task))

    def RetryTask(self, request: pb.RetryTaskRequest, context: grpc.ServicerContext) -> pb.RetryTaskResponse:
        owner = self._callers.of(context).user(request.user_id)
        task = self._board.retry(request.task_id, owner=owner)
        return pb.RetryTaskResponse(task=wire.to_message(task))
