"""VideoService: the three calls of the app, with resumable uploads and idempotency of CreateTask."""

import grpc

from facecli.api.admission import Admission
from facecli.api.call_context import CallContext
from facecli.api.in_order_session import InOrderUploadSession, Resume, next_missing
from facecli.core.errors import InvalidInput, UploadNotFound
from facecli.rpc.calls import notify_url_of
from facecli.rpc.request_stream import RequestStream
from facecli.rpc.upload_decoders import file_chunk
from facecli.rpc.upload_streams import UploadStreams
from facecli.tasks.provenance.terms import NO_TERMS, Terms
from facecli.tasks.service import TaskService
from facecli.uploads.registry import new_upload_id
from facecli.uploads.service import UploadService
from facecli.uploads.upload import MAX_CHUNK_SIZE
from facecli.webhooks.service import Webhooks
from facecli.wire import tasks as wire_tasks
from facecli.wire import uploads as wire
from facecli.wire.generated import video_service_pb2 as pb
from facecli.wire.generated import video_service_pb2_grpc as pb_grpc
from facecli.wire.parts import requested_part

# Names of metadata.
RESUME = "facecli-resume"
UPLOAD_ID = "facecli-upload-id"
NEXT_CHUNK = "facecli-next-chunk"
IDEMPOTENCY_KEY = "idempotency-key"


class VideoServicer(pb_grpc.VideoServiceServicer):
    def __init__(
        self,
        upload_service: UploadService,
        task_service: TaskService,
        webhooks: Webhooks,
        *,
        streams: UploadStreams,
        creations: Admission,
    ) -> None:
        self._upload_service = upload_service
        self._task_service = task_service
        self._webhooks = webhooks
        self._calls = streams.calls
        self._streams = streams
        self._creations = creations

    def UploadVideo(  # type: ignore[override]  # requests arrive as bytes: request_stream.py
        self, request_iterator: RequestStream, context: grpc.ServicerContext
    ) -> pb.UploadResponse:
        call = self._calls.of(context)
        resume = self._resume(context, call)
        self._streams.begin(request_iterator, context, largest=MAX_CHUNK_SIZE)
        with (
            self._streams.admission.acquire(call.authenticated_user) as slot,
            InOrderUploadSession(self._upload_service, call, resume=resume) as session,
        ):
            acknowledgements = self._streams.run(
                request_iterator,
                lambda data: session.write_chunk(file_chunk(data)),
                session,
                call=call,
                slot=slot,
                first=MAX_CHUNK_SIZE,
            )
            for _ in acknowledgements:
                pass  # the app is answered once, at the end
        if session.upload_id:
            return wire.upload_response(self._upload_service.get(session.upload_id, owner=call.reader()))
        raise InvalidInput("the stream of UploadVideo was empty; send at least one chunk")

    def CreateTask(self, request: pb.CreateTaskRequest, context: grpc.ServicerContext) -> pb.TaskResponse:
        call = self._calls.of(context)
        with self._creations.acquire(call.authenticated_user):
            return created(self._task_service, self._webhooks, request, context, call)

    def GetTaskStatus(self, request: pb.TaskStatusRequest, context: grpc.ServicerContext) -> pb.TaskResponse:
        call = self._calls.of(context)
        task = self._task_service.get(request.task_id, owner=call.reader())
        return wire_tasks.to_message(task, self._webhooks.view(task))

    def _resume(self, context: grpc.ServicerContext, call: CallContext) -> Resume:
        """The upload that a client with `facecli-resume` resumes or begins, sent before its first message.

        An unknown id and another user's id alike begin an upload under a new id, so that a client cannot tell
        them apart.
        """
        metadata = dict(context.invocation_metadata())
        if RESUME not in metadata:
            return Resume()
        try:
            upload_id = self._upload_service.get(str(metadata.get(UPLOAD_ID, "")), owner=call.reader()).id
        except UploadNotFound:
            new_id = new_upload_id()
            context.send_initial_metadata(((UPLOAD_ID, new_id), (NEXT_CHUNK, "0")))
            return Resume(new_id=new_id)
        next_chunk = next_missing(self._upload_service.chunks(upload_id))
        context.send_initial_metadata(((UPLOAD_ID, upload_id), (NEXT_CHUNK, str(next_chunk))))
        return Resume(upload_id=upload_id)


def created(
    task_service: TaskService,
    webhooks: Webhooks,
    request: pb.CreateTaskRequest,
    context: grpc.ServicerContext,
    call: CallContext,
    *,
    terms: Terms = NO_TERMS,
) -> pb.TaskResponse:
    """The task that a request creates, or the one that has its idempotency key."""
    key = dict(context.invocation_metadata()).get(IDEMPOTENCY_KEY)
    notify_url = notify_url_of(context)
    if notify_url:
        webhooks.check(notify_url)
    task = task_service.create(
        owner=call.user(request.user_id),
        image_url=request.image_url,
        video_url=request.video_url,
        engine=request.engine,
        options=request.options,
        part=requested_part(request),
        key=str(key) if key else None,
        fresh=request.fresh,
        terms=terms,
        origin=call.origin,
        active=call.active,
    )
    if notify_url:
        # A crash before this leaves the client without an answer: it creates the task again, by its key.
        webhooks.register(task.id, notify_url)
    call.concerns("task", task.id)
    return wire_tasks.to_message(task, webhooks.view(task))
