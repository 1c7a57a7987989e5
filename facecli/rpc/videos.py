"""VideoService: the app's three calls."""

from collections.abc import Iterator
from contextlib import closing

import grpc

from facecli.api.admission import Admission
from facecli.api.authentication import Caller, Callers
from facecli.api.upload_pipeline import StreamLimits, UploadPipeline
from facecli.core.errors import InvalidInput, UploadNotFound
from facecli.rpc.video_session import VideoUploadSession, next_missing
from facecli.tasks.service import TaskService
from facecli.uploads.registry import new_upload_id
from facecli.uploads.service import UploadService
from facecli.uploads.upload import MAX_CHUNK_SIZE
from facecli.wire import tasks as wire_tasks
from facecli.wire import uploads as wire
from facecli.wire.generated import video_service_pb2 as pb
from facecli.wire.generated import video_service_pb2_grpc as pb_grpc

RESUME = "facecli-resume"
UPLOAD_ID = "facecli-upload-id"
NEXT_CHUNK = "facecli-next-chunk"
KEY = "idempotency-key"


class VideoServicer(pb_grpc.VideoServiceServicer):
    def __init__(
        self,
        upload_service: UploadService,
        task_service: TaskService,
        *,
        callers: Callers,
        admission: Admission,
        limits: StreamLimits,
    ) -> None:
        self._upload_service = upload_service
        self._callers = callers
        self._task_service = task_service
        self._admission = admission
        self._limits = limits

    def UploadVideo(  # type: ignore[override]  # messages come as bytes: interceptors/raw.py
        self, request_iterator: Iterator[bytes], context: grpc.ServicerContext
    ) -> pb.UploadResponse:
        caller = self._callers.of(context)
        with self._admission.acquire(caller.proved) as slot:
            upload_id, new_id = self._resumed(context, caller)
            with VideoUploadSession(
                self._upload_service, user=caller.user, upload_id=upload_id, new_id=new_id
            ) as reception:
                intake = UploadPipeline(
                    request_iterator,
                    reception.write,
                    limits=self._limits,
                    first=MAX_CHUNK_SIZE,
                    active=caller.active,
                    slot=slot,
                )
                with closing(iter(intake)) as batches:
                    for batch in batches:
                        for _ in self._upload_service.store_all(batch):
                            pass
            if reception.upload_id:
                return wire.upload_response(
                    self._upload_service.get(reception.upload_id, owner=caller.reader())
                )
            raise InvalidInput("the stream of UploadVideo was empty; send at least one chunk")

    def CreateTask(self, request: pb.CreateTaskRequest, context: grpc.ServicerContext) -> pb.TaskResponse:
        key = dict(context.invocation_metadata()).get(KEY)
        task = self._task_service.create(
            owner=self._callers.of(context).user(request.user_id),
            image_url=request.image_url,
            video_url=request.video_url,
            engine=request.engine,
            options=request.options,
            key=str(key) if key else None,
        )
        return wire_tasks.to_message(task)

    def GetTaskStatus(self, request: pb.TaskStatusRequest, context: grpc.ServicerContext) -> pb.TaskResponse:
        owner = self._callers.of(context).reader()
        return wire_tasks.to_message(self._task_service.get(request.task_id, owner=owner))

    def _resumed(self, context: grpc.ServicerContext, caller: Caller) -> tuple[str, str]:
        """The ids of the upload that a client with `facecli-resume` goes on with, or begins.

        It is told before it sends anything. An id that is unknown or somebody else's begins an upload under
        another id: so nobody learns which of the two it is.
        """
        metadata = dict(context.invocation_metadata())
        if RESUME not in metadata:
            return "", ""
        try:
            upload_id = self._upload_service.get(str(metadata.get(UPLOAD_ID, "")), owner=caller.reader()).id
        except UploadNotFound:
            new_id = new_upload_id()
            context.send_initial_metadata(((UPLOAD_ID, new_id), (NEXT_CHUNK, "0")))
            return "", new_id
        next_chunk = next_missing(self._upload_service.chunks(upload_id))
        context.send_initial_metadata(((UPLOAD_ID, upload_id), (NEXT_CHUNK, str(next_chunk))))
        return upload_id, ""
