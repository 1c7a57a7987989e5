"""VideoService: the app's three calls."""

import threading
from collections.abc import Iterator
from itertools import chain

import grpc

from facecli.core.errors import InvalidInput, OutOfOrder, UploadNotFound
from facecli.core.inbox import Inbox, new_upload_id
from facecli.core.task_board import TaskBoard
from facecli.core.uploads import Frame, NewUpload, Upload
from facecli.service.admission import Admission
from facecli.service.intake import Intake
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
        idle_limit: float,
        draining: threading.Event,
    ) -> None:
        self._inbox = inbox
        self._board = board
        self._admission = admission
        self._idle_limit = idle_limit
        self._draining = draining

    def UploadVideo(
        self, request_iterator: Iterator[pb.UploadRequest], context: grpc.ServicerContext
    ) -> pb.UploadResponse:
        with self._admission.place():
            upload_id = self._resumed_id(context)
            first = next(request_iterator, None)
            if first is None:
                return self._nothing_sent(upload_id)
            upload = self._upload(first, upload_id or first.upload_id)
            with self._inbox.writer(upload.id, owner=first.user_id) as writer:
                frames = _frames(chain((first,), request_iterator), upload, self._next_chunk(upload.id))
                intake = Intake(
                    frames,
                    writer,
                    idle_limit=self._idle_limit,
                    draining=self._draining,
                    active=context.is_active,
                )
                for chunk in intake:
                    self._inbox.store(writer, chunk)
            return wire.upload_response(self._inbox.get(upload.id, owner=first.user_id))

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
            next_chunk = self._next_chunk(self._inbox.get(upload_id, owner=None).id)
        except UploadNotFound:
            if UPLOAD_ID in metadata:
                upload_id = _own_id(upload_id)
            next_chunk = 0
        context.send_initial_metadata(((UPLOAD_ID, upload_id), (NEXT_CHUNK, str(next_chunk))))
        return upload_id

    def _upload(self, first: pb.UploadRequest, upload_id: str) -> Upload:
        """The upload to go on with, or a new one under this id, which may be empty."""
        if upload_id:
            try:
                return self._inbox.get(upload_id, owner=first.user_id)
            except UploadNotFound:
                if first.upload_id:
                    raise
        if first.chunk_index > 0:
            raise OutOfOrder(
                f"chunk {first.chunk_index} of {first.file_name} came first; begin with chunk 0",
                next_chunk_index=0,
            )
        new = NewUpload.checked(
            owner=first.user_id,
            name=first.file_name,
            file_type=first.file_type,
            size=first.file_size or None,
            chunk_size=len(first.chunk),
            total_chunks=first.total_chunks,
        )
        return self._inbox.begin(new, fresh=True, upload_id=upload_id)[0]

    def _next_chunk(self, upload_id: str) -> int:
        """How many chunks are stored from the first on without a gap."""
        count = 0
        for chunk in self._inbox.chunks(upload_id):
            if chunk.index != count:
                break
            count += 1
        return count

    def _nothing_sent(self, upload_id: str) -> pb.UploadResponse:
        if not upload_id:
            raise InvalidInput("the stream of UploadVideo was empty; send at least one chunk")
        return wire.upload_response(self._inbox.get(upload_id, owner=None))


def _frames(requests: Iterator[pb.UploadRequest], upload: Upload, next_chunk: int) -> Iterator[Frame]:
    """One frame a message, in order; what changed midway or skips ahead is refused."""
    for request in requests:
        said = (request.file_name, request.file_type, request.total_chunks, request.user_id)
        if said != (upload.name, upload.file_type, upload.total_chunks, upload.owner):
            raise InvalidInput(
                f"user_id, file_name, file_type or total_chunks of {upload.name} changed midway"
            )
        if request.chunk_index > next_chunk:
            raise OutOfOrder(
                f"chunk {request.chunk_index} of {upload.name} is ahead; the next one is {next_chunk}",
                next_chunk_index=next_chunk,
            )
        yield Frame(
            offset=request.chunk_index * upload.chunk_size,
            data=request.chunk,
            chunk_crc32c=request.chunk_crc32c if request.HasField("chunk_crc32c") else None,
            ends_chunk=True,
        )
        next_chunk = max(next_chunk, request.chunk_index + 1)


def _own_id(upload_id: str) -> str:
    if len(upload_id) == 32 and set(upload_id) <= set("0123456789abcdef"):
        return upload_id
    raise UploadNotFound(f"there is no upload {upload_id}")
