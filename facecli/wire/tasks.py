"""Converts tasks and task filters to protobuf messages and back."""

import math

from facecli.tasks.task import Task, TaskFilter, TaskStatus
from facecli.tasks.view import TaskView
from facecli.wire.generated import task_service_pb2
from facecli.wire.generated import video_service_pb2 as pb
from facecli.wire.uploads import seconds, timestamp


def to_message(task: Task) -> pb.TaskResponse:
    return pb.TaskResponse(
        task_id=task.id,
        status=task.status,
        progress=task.progress,
        result_url=task.result_url,
        error_message=task.error_message,
        revision=task.revision,
        created_at=timestamp(task.created_at),
        updated_at=timestamp(task.updated_at),
        engine=task.engine,
        error_reason=task.error_reason,
        result_size=task.result.size if task.result else 0,
        result_crc32c=task.result.crc32c if task.result else None,
        image_url=task.image_url,
        video_url=task.video_url,
        attempt=task.attempt,
        stage=task.stage,
        frames_done=task.frames_done,
        frames=task.frames,
        round=task.round,
        notes=task.notes,
    )


def from_message(message: pb.TaskResponse) -> TaskView:
    has_result = message.HasField("result_crc32c")
    return TaskView(
        id=message.task_id,
        status=TaskStatus(message.status),
        progress=message.progress,
        frames_done=message.frames_done,
        frames=message.frames,
        stage=message.stage,
        revision=message.revision,
        round=message.round,
        attempt=message.attempt,
        engine=message.engine,
        image_url=message.image_url,
        video_url=message.video_url,
        result_url=message.result_url,
        result_size=message.result_size if has_result else None,
        result_crc32c=message.result_crc32c if has_result else None,
        error_reason=message.error_reason,
        error_message=message.error_message,
        notes=tuple(message.notes),
        created_at=seconds(message.created_at),
        updated_at=seconds(message.updated_at),
    )


def list_request(
    wanted: TaskFilter, *, user: str, size: int, token: str
) -> task_service_pb2.ListTasksRequest:
    return task_service_pb2.ListTasksRequest(
        user_id=user,
        status=wanted.status,
        engine=wanted.engine,
        since=timestamp(wanted.since) if wanted.since > 0 else None,
        until=timestamp(wanted.until) if wanted.until < math.inf else None,
        page_size=size,
        page_token=token,
    )


def task_filter(request: task_service_pb2.ListTasksRequest) -> TaskFilter:
    return TaskFilter(
        status=request.status,
        engine=request.engine,
        since=seconds(request.since) if request.HasField("since") else 0.0,
        until=seconds(request.until) if request.HasField("until") else math.inf,
    )
