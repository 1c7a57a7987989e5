"""The call that creates a task: the one of the app, or the one for what that cannot express."""

from dataclasses import replace

from facecli.client.calls.unary import UnaryCalls
from facecli.client.connection import Metadata
from facecli.client.watches.separate_watches import is_missing_method
from facecli.core.errors import NotConfigured, UnexpectedResponse
from facecli.tasks.provenance.terms import Terms
from facecli.tasks.task import Priority
from facecli.tasks.view import TaskView
from facecli.wire import provenance
from facecli.wire import tasks as wire
from facecli.wire.generated import task_service_pb2 as pb
from facecli.wire.generated import task_service_pb2_grpc as pb_grpc
from facecli.wire.generated import video_service_pb2 as video_pb
from facecli.wire.generated import video_service_pb2_grpc as video_pb_grpc


def create_task(
    calls: UnaryCalls,
    videos: video_pb_grpc.VideoServiceStub,
    tasks: pb_grpc.TaskServiceStub,
    request: video_pb.CreateTaskRequest,
    *,
    terms: Terms,
    priority: Priority,
    metadata: Metadata,
) -> TaskView:
    """NotConfigured for terms on a server that is too old; it gives every task the same priority."""
    stated = provenance.to_terms_message(terms)
    if stated or priority is not Priority.NORMAL:
        full = pb.CreateTaskUnderTermsRequest(task=request, terms=stated, priority=priority.label)
        try:
            return calls.call(tasks.CreateTaskUnderTerms, full, wire.from_wrapped, metadata=metadata)
        except UnexpectedResponse as error:
            if not is_missing_method(error):
                raise
            if stated:
                raise NotConfigured(
                    "this server is too old to record a consent or a waiver; update it"
                ) from error
    task = calls.call(videos.CreateTask, request, wire.from_message, metadata=metadata)
    return replace(task, priority=Priority.NORMAL.label)
