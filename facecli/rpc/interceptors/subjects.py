"""Names the user and the subjects of a unary request for the audit log, before the call can be refused."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import grpc

from facecli.api.call_context import CallContext
from facecli.rpc.calls import Calls
from facecli.wire.generated import file_service_pb2 as file_pb
from facecli.wire.generated import task_service_pb2 as task_pb
from facecli.wire.generated import upload_service_pb2 as upload_pb
from facecli.wire.generated import video_service_pb2 as video_pb

Subject = tuple[str, str]  # kind and id


class Subjects(grpc.ServerInterceptor):
    """Belongs around the interceptors that authenticate a call and give it a slot."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    def intercept_service(
        self, continuation: Callable[[Any], Any], handler_call_details: grpc.HandlerCallDetails
    ) -> Any:
        handler = continuation(handler_call_details)
        if handler is None or handler.unary_unary is None:
            return handler
        behaviour = handler.unary_unary

        def call(request: Any, context: grpc.ServicerContext) -> Any:
            _name_subjects(self._calls.of(context), request)
            return behaviour(request, context)

        return handler._replace(unary_unary=call)


def _name_subjects(call: CallContext, request: Any) -> None:
    if isinstance(request, upload_pb.BeginUploadsRequest):
        users = (each.user_id for each in request.uploads)
        call.claims(next(filter(None, users), ""))
    elif isinstance(request, task_pb.CreateTaskUnderTermsRequest):
        call.claims(request.task.user_id)
    elif "user_id" in request.DESCRIPTOR.fields_by_name:
        call.claims(request.user_id)
    for kind, subject_id in _SUBJECTS.get(type(request), _no_subjects)(request):
        call.concerns(kind, subject_id)


def _no_subjects(request: Any) -> Iterable[Subject]:
    return ()


def _upload(request: Any) -> Iterable[Subject]:
    yield "upload", request.upload_id


def _task(request: Any) -> Iterable[Subject]:
    yield "task", request.task_id


def _task_inputs(request: video_pb.CreateTaskRequest | task_pb.PreviewTaskRequest) -> Iterable[Subject]:
    for url in (request.image_url, request.video_url):
        yield "upload", _upload_id_in(url)


def _file(request: file_pb.CreateLinkRequest) -> Iterable[Subject]:
    yield "task" if request.url.startswith("/outputs/") else "upload", _upload_id_in(request.url)


def _upload_id_in(url: str) -> str:
    """The id in `/uploads/<id>/<name>`; `?` for another path. File names must not reach a log."""
    parts = url.split("/")
    return parts[2] if len(parts) == 4 else "?" if len(parts) > 1 else url


_SUBJECTS: Mapping[type, Callable[[Any], Iterable[Subject]]] = {
    upload_pb.UploadChunkRequest: _upload,
    upload_pb.GetUploadRequest: _upload,
    upload_pb.CancelUploadRequest: _upload,
    file_pb.CreateLinkRequest: _file,
    task_pb.FindTaskRequest: _task,
    task_pb.ListTaskLogsRequest: _task,
    task_pb.CancelTaskRequest: _task,
    task_pb.RetryTaskRequest: _task,
    task_pb.DeleteTaskRequest: _task,
    video_pb.TaskStatusRequest: _task,
    video_pb.CreateTaskRequest: _task_inputs,
    task_pb.PreviewTaskRequest: _task_inputs,
    task_pb.CreateTaskUnderTermsRequest: lambda request: _task_inputs(request.task),
    task_pb.GetProvenanceRequest: _task,
}
