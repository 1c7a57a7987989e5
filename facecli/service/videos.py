"""VideoService: the app's three calls."""

from collections.abc import Iterator

import grpc

from facecli.core.errors import InvalidInput, UploadNotFound
from facecli.core.inbox import Inbox, new_upload_id
from facecli.core.task_board import TaskBoard
from facecli.core.uploads import MAX_CHUNK_SIZE
from facecli.service.admission import Admission
from facecli.service.intake import Intake, StreamLimits
from facecli.service.video_reception import VideoReception, next_missing
from facecli.wire import tasks as wire_tasks
from facecli.wire import uploads as wire
from facecli.wire.generated import video_service_pb2 as pb
from facecli.wire.generated import video_service_pb2_grpc as pb_grpc

RESUME = "facecli-resume"
UPLOAD_ID = "facecli-upload-id"
NEXT_CHUNK = "facecli-next-chunk"
KEY = "idempotency-key"


class VideoService(pb_grpc.VideoServiceServicer):
    def __init__(
        self,
        inbox: Inbox,
        board: TaskBoard,
        *,
        admission: Admission,
        limits: StreamLimits,
    ) -> None:
        self._inbox = inbox
        self._board = board
        self._admission = admission
        self._limits = limits

    def UploadVideo(  # type: ignore[override]  # messages come as bytes: interceptors/raw.py
        self, request_iterator: Iterator[bytes], context: grpc.ServicerContext
    ) -> pb.UploadResponse:
        with self._admission.place() as place:
            upload_id = self._resumed_id(context)
            with VideoReception(self._inbox, upload_id) as reception:
                intake = Intake(
                    request_iterator,
                    reception.write,
                    limits=self._limits,
                    first=MAX_CHUNK_SIZE,
                    active=context.is_active,
                    place=place,
                )
                for batch in intake:
                    for _ in self._inbox.store_all(batch):
                        pass
            if upload_id := reception.upload_id or upload_id:
                return wire.upload_response(self._inbox.get(upload_id, owner=None))
            raise InvalidInput("the stream of UploadVideo was empty; send at least one chunk")

    def CreateTask(self, request: pb.CreateTaskRequest, context: grpc.ServicerContext) -> pb.TaskResponse:
        key = dict(context.invocation_metadata()).get(KEY)
        task = self._board.create(
            owner=request.user_id,
            image_url=request.image_url,
            video_url=request.video_url,
            engine=request.engine,
            options=request.options,
            key=str(key) if key else None,
        )
        return wire_tasks.to_message(task)

    def GetTaskStatus(self, request: pb.TaskStatusRequest, context: grpc.ServicerContext) -> pb.TaskResponse:
        return wire_tasks.to_message(self._board.get(request.task_id, owner=None))

    def _resumed_id(self, context: grpc.ServicerContext) -> str:
        """The id that a client with `facecli-resume` goes on with; it is told before it sends anything."""
        metadata = dict(context.invocation_metadata())
        if RESUME not in metadata:
            return ""
        upload_id = str(metadata.get(UPLOAD_ID, "")) or new_upload_id()
        try:
            next_chunk = next_missing(self._inbox.chunks(self._inbox.get(upload_id, owner=None).id))
        except UploadNotFound:
            if UPLOAD_ID in metadata:
                upload_id = _own_id(upload_id)
            next_chunk = 0
        context.send_initial_metadata(((UPLOAD_ID, upload_id), (NEXT_CHUNK, str(next_chunk))))
        return upload_id


def _own_id(upload_id: str) -> str:
    if len(upload_id) == 32 and set(upload_id) <= set("0123456789abcdef"):
        return upload_id
    raise UploadNotFound(f"there is no upload {upload_id}")
