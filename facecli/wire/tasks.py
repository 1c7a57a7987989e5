"""Converts tasks and task filters to protobuf messages and back."""

import math
from dataclasses import asdict

from google.protobuf.timestamp_pb2 import Timestamp

from facecli.core.errors import InvalidInput, UnexpectedResponse
from facecli.core.video.figures import SwapFigures
from facecli.tasks.task import Task, TaskFilter, TaskStatus
from facecli.tasks.view import TaskView, WebhookView
from facecli.wire import parts, responses
from facecli.wire.generated import task_service_pb2
from facecli.wire.generated import video_service_pb2 as pb
from facecli.wire.uploads import seconds, timestamp

WrappedTask = (
    task_service_pb2.WatchTaskResponse
    | task_service_pb2.CreateTaskUnderTermsResponse
    | task_service_pb2.CancelTaskResponse
    | task_service_pb2.RetryTaskResponse
)

# What a google.protobuf.Timestamp may hold: the years 1 to 9999, and the nanoseconds of a second.
_SECONDS = range(-62_135_596_800, 253_402_300_800)
_NANOS = range(1_000_000_000)


def to_message(task: Task, webhook: WebhookView | None = None) -> pb.TaskResponse:
    return pb.TaskResponse(
        task_id=task.id,
        status=task.status,
        progress=task.progress,
        result_url=task.result_url,
        preview_url=task.preview_url,
        request_id=task.origin.request_id,
        error_message=task.error_message,
        revision=task.revision,
        created_at=timestamp(task.created_at),
        updated_at=timestamp(task.updated_at),
        engine=task.engine,
        engine_version=task.engine_version,
        options=task.options,
        key=task.key or "",
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
        figures=pb.SwapFigures(**asdict(task.figures)) if task.figures else None,
        webhook=pb.Webhook(**asdict(webhook)) if webhook else None,
        **parts.durations(task.part),
    )


def from_message(message: pb.TaskResponse) -> TaskView:
    """The client's view; UnexpectedResponse for a message that no server of this protocol sends."""
    has_result = message.HasField("result_crc32c")
    return TaskView(
        id=responses.identifier(message.task_id, "task ID"),
        status=_status(message.status),
        progress=responses.clamped(message.progress, 0, 100),
        frames_done=max(0, message.frames_done),
        frames=max(0, message.frames),
        stage=responses.word(message.stage),
        revision=responses.amount(message.revision, "revision"),
        round=max(0, message.round),
        attempt=max(0, message.attempt),
        engine=responses.word(message.engine),
        engine_version=responses.word(message.engine_version),
        options={responses.word(name): responses.word(value) for name, value in message.options.items()},
        part=parts.part_of_task(message),
        key=responses.word(message.key) or None,
        image_url=responses.url(message.image_url, "URL"),
        video_url=responses.url(message.video_url, "URL"),
        result_url=responses.url(message.result_url, "URL"),
        preview_url=responses.url(message.preview_url, "URL"),
        request_id=responses.word(message.request_id),
        result_size=responses.amount(message.result_size, "size") if has_result else None,
        result_crc32c=message.result_crc32c if has_result else None,
        error_reason=responses.word(message.error_reason),
        error_message=responses.text(message.error_message),
        notes=tuple(responses.text(note) for note in message.notes[: responses.MAX_ITEMS]),
        figures=_figures(message.figures) if message.HasField("figures") else None,
        created_at=responses.seconds(message.created_at, "time"),
        updated_at=responses.seconds(message.updated_at, "time"),
        webhook=_webhook(message.webhook) if message.HasField("webhook") else None,
    )


def _webhook(message: pb.Webhook) -> WebhookView:
    return WebhookView(
        status=responses.word(message.status),
        attempts=max(0, message.attempts),
        error=responses.text(message.error),
    )


def _figures(message: pb.SwapFigures) -> SwapFigures:
    return SwapFigures(
        swapped=max(0, message.swapped),
        without_face=max(0, message.without_face),
        turned_away=max(0, message.turned_away),
        people=max(0, message.people),
    )


def from_wrapped(message: WrappedTask) -> TaskView:
    """The view of a task in a response that has a field `task`."""
    return from_message(message.task)


def changes_from_message(message: task_service_pb2.WatchTasksResponse) -> tuple[list[TaskView], list[str]]:
    """The tasks that have changed, and the IDs of those that are deleted."""
    deleted = [responses.identifier(each, "task ID") for each in message.deleted_task_ids]
    return [from_message(task) for task in message.tasks], deleted


def engine_from_message(message: task_service_pb2.CheckTaskResponse) -> tuple[str, str]:
    """The name and version of an engine."""
    return responses.word(message.engine), responses.word(message.engine_version)


def page_from_message(message: task_service_pb2.ListTasksResponse) -> tuple[list[TaskView], str]:
    """The tasks of a page, and the token of the next one."""
    return [from_message(task) for task in message.tasks], responses.page_token(message.next_page_token)


def _status(value: str) -> str:
    """The status; one that a newer server knows stays as it is."""
    if not value:
        raise UnexpectedResponse("a task without a status")
    try:
        return TaskStatus(value)
    except ValueError:
        return responses.word(value)


def list_request(
    wanted: TaskFilter, *, user: str, size: int, token: str
) -> task_service_pb2.ListTasksRequest:
    return task_service_pb2.ListTasksRequest(
        user_id=user,
        status=wanted.status,
        engine=wanted.engine,
        since=timestamp(wanted.since) if wanted.since > 0 else None,
        until=timestamp(wanted.until) if wanted.until < math.inf else None,
        result_crc32c=wanted.result_crc32c,
        page_size=size,
        page_token=token,
    )


def task_filter(request: task_service_pb2.ListTasksRequest) -> TaskFilter:
    return TaskFilter(
        status=request.status,
        engine=request.engine,
        since=_time(request.since, "since") if request.HasField("since") else 0.0,
        until=_time(request.until, "until") if request.HasField("until") else math.inf,
        result_crc32c=request.result_crc32c if request.HasField("result_crc32c") else None,
    )


def _time(stamp: Timestamp, field: str) -> float:
    """Seconds since the epoch; InvalidInput for a time that a Timestamp may not hold."""
    if stamp.seconds not in _SECONDS or stamp.nanos not in _NANOS:
        raise InvalidInput(
            f"{field} must be a time between the years 1 and 9999, not {stamp.seconds} s and {stamp.nanos} ns"
        )
    return seconds(stamp)
