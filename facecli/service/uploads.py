"""UploadService: uploads that go on after any break."""

import threading
from collections.abc import Iterator
from itertools import chain

import grpc

from facecli.core.errors import InvalidInput
from facecli.core.inbox import Inbox
from facecli.core.uploads import Frame
from facecli.service.admission import Admission
from facecli.service.intake import Intake
from facecli.service.pages import page
from facecli.wire import uploads as wire
from facecli.wire.generated import upload_service_pb2 as pb
from facecli.wire.generated import upload_service_pb2_grpc as pb_grpc
from facecli.wire.generated import video_service_pb2 as video_pb


class UploadService(pb_grpc.UploadServiceServicer):
    def __init__(
        self, inbox: Inbox, *, admission: Admission, idle_limit: float, draining: threading.Event
    ) -> None:
        self._inbox = inbox
        self._admission = admission
        self._idle_limit = idle_limit
        self._draining = draining

    def BeginUpload(
        self, request: pb.BeginUploadRequest, context: grpc.ServicerContext
    ) -> pb.BeginUploadResponse:
        upload, chunks = self._inbox.begin(wire.new_upload(request), fresh=request.fresh)
        return pb.BeginUploadResponse(upload=wire.to_message(upload), chunks=wire.chunks_to_messages(chunks))

    def StreamUpload(
        self, request_iterator: Iterator[video_pb.UploadRequest], context: grpc.ServicerContext
    ) -> Iterator[pb.StreamUploadResponse]:
        first = next(request_iterator, None)
        if first is None or not first.upload_id:
            raise InvalidInput("the first message of StreamUpload names the upload_id from BeginUpload")
        with (
            self._admission.place(),
            self._inbox.writer(first.upload_id, owner=first.user_id) as writer,
        ):
            frames = _frames(chain((first,), request_iterator), first.upload_id)
            intake = Intake(
                frames,
                writer,
                idle_limit=self._idle_limit,
                draining=self._draining,
                active=context.is_active,
            )
            for chunk in intake:
                yield wire.acknowledgement(self._inbox.store(writer, chunk), chunk)

    def UploadChunk(
        self, request: pb.UploadChunkRequest, context: grpc.ServicerContext
    ) -> pb.UploadChunkResponse:
        upload = self._inbox.get(request.upload_id, owner=request.user_id)
        frame = Frame(
            offset=request.chunk_index * upload.chunk_size,
            data=request.data,
            chunk_crc32c=request.crc32c if request.HasField("crc32c") else None,
            ends_chunk=True,
        )
        with self._admission.place():
            stored = self._inbox.put_chunk(upload.id, frame, owner=request.user_id)
        return pb.UploadChunkResponse(upload=wire.to_message(stored))

    def GetUpload(self, request: pb.GetUploadRequest, context: grpc.ServicerContext) -> pb.GetUploadResponse:
        upload = self._inbox.get(request.upload_id, owner=request.user_id)
        chunks = self._inbox.chunks(upload.id)
        return pb.GetUploadResponse(upload=wire.to_message(upload), chunks=wire.chunks_to_messages(chunks))

    def ListUploads(
        self, request: pb.ListUploadsRequest, context: grpc.ServicerContext
    ) -> pb.ListUploadsResponse:
        uploads, token = page(
            request.page_size,
            lambda limit: self._inbox.listed(owner=request.user_id, limit=limit, before=request.page_token),
        )
        return pb.ListUploadsResponse(
            uploads=[wire.to_message(upload) for upload in uploads], next_page_token=token
        )

    def CancelUpload(
        self, request: pb.CancelUploadRequest, context: grpc.ServicerContext
    ) -> pb.CancelUploadResponse:
        self._inbox.cancel(request.upload_id, owner=request.user_id)
        return pb.CancelUploadResponse()


def _frames(requests: Iterator[video_pb.UploadRequest], upload_id: str) -> Iterator[Frame]:
    for request in requests:
        if request.upload_id not in ("", upload_id):
            raise InvalidInput("one stream carries one upload; the upload_id changed midway")
        yield wire.frame(request)
