"""UploadService: resumable uploads."""

from collections.abc import Iterator
from contextlib import closing

import grpc

from facecli.api.pagination import page
from facecli.api.upload_session import NO_UPLOAD_ID, UploadSession
from facecli.core.errors import InvalidInput
from facecli.rpc.request_stream import RequestStream
from facecli.rpc.upload_decoders import single_chunk, stream_frame
from facecli.rpc.upload_streams import UploadStreams
from facecli.uploads.service import UploadService
from facecli.uploads.upload import FRAME_SIZE
from facecli.wire import uploads as wire
from facecli.wire.generated import upload_service_pb2 as pb
from facecli.wire.generated import upload_service_pb2_grpc as pb_grpc

MAX_BATCH = 256  # files of one BeginUploads


class UploadServicer(pb_grpc.UploadServiceServicer):
    def __init__(self, upload_service: UploadService, *, streams: UploadStreams) -> None:
        self._upload_service = upload_service
        self._calls = streams.calls
        self._streams = streams

    def BeginUpload(
        self, request: pb.BeginUploadRequest, context: grpc.ServicerContext
    ) -> pb.BeginUploadResponse:
        call = self._calls.of(context)
        new = wire.new_upload(request, owner=call.user(request.user_id))
        upload, chunks = self._upload_service.begin(new, fresh=request.fresh)
        call.concerns("upload", upload.id)
        return pb.BeginUploadResponse(upload=wire.to_message(upload), chunks=wire.chunks_to_messages(chunks))

    def BeginUploads(
        self, request: pb.BeginUploadsRequest, context: grpc.ServicerContext
    ) -> pb.BeginUploadsResponse:
        call = self._calls.of(context)
        if len(request.uploads) > MAX_BATCH:
            raise InvalidInput(f"BeginUploads takes at most {MAX_BATCH} files")
        wanted = [
            (wire.new_upload(each, owner=call.user(each.user_id)), each.fresh) for each in request.uploads
        ]
        begun = self._upload_service.begin_all(wanted)
        for upload, _ in begun:
            call.concerns("upload", upload.id)
        return pb.BeginUploadsResponse(
            uploads=[
                pb.BeginUploadResponse(upload=wire.to_message(upload), chunks=wire.chunks_to_messages(chunks))
                for upload, chunks in begun
            ]
        )

    def StreamUpload(  # type: ignore[override]  # requests arrive as bytes: request_stream.py
        self, request_iterator: RequestStream, context: grpc.ServicerContext
    ) -> Iterator[pb.StreamUploadResponse]:
        call = self._calls.of(context)
        self._streams.begin(request_iterator, context, largest=FRAME_SIZE)
        with (
            self._streams.admission.acquire(call.authenticated_user) as slot,
            UploadSession(self._upload_service, call) as session,
        ):
            acknowledgements = self._streams.run(
                request_iterator,
                lambda data: session.write(stream_frame(data)),
                session,
                call=call,
                slot=slot,
                first=FRAME_SIZE,
            )
            with closing(acknowledgements):
                for upload, chunk in acknowledgements:
                    yield wire.acknowledgement(upload, chunk, session.stages.times())
            if not session.begun:
                raise InvalidInput(NO_UPLOAD_ID)

    def UploadChunk(
        self, request: pb.UploadChunkRequest, context: grpc.ServicerContext
    ) -> pb.UploadChunkResponse:
        call = self._calls.of(context)
        upload = self._upload_service.get(request.upload_id, owner=call.user(request.user_id))
        with (
            self._streams.admission.acquire(call.authenticated_user),
            UploadSession(self._upload_service, call) as session,
        ):
            stored = session.put_chunk(single_chunk(request, upload))
        return pb.UploadChunkResponse(upload=wire.to_message(stored))

    def GetUpload(self, request: pb.GetUploadRequest, context: grpc.ServicerContext) -> pb.GetUploadResponse:
        call = self._calls.of(context)
        upload = self._upload_service.get(request.upload_id, owner=call.user(request.user_id))
        chunks = self._upload_service.chunks(upload.id)
        return pb.GetUploadResponse(upload=wire.to_message(upload), chunks=wire.chunks_to_messages(chunks))

    def ListUploads(
        self, request: pb.ListUploadsRequest, context: grpc.ServicerContext
    ) -> pb.ListUploadsResponse:
        owner = self._calls.of(context).user(request.user_id)
        uploads, token = page(
            request.page_size,
            lambda limit: self._upload_service.listed(owner=owner, limit=limit, before=request.page_token),
        )
        return pb.ListUploadsResponse(
            uploads=[wire.to_message(upload) for upload in uploads], next_page_token=token
        )

    def CancelUpload(
        self, request: pb.CancelUploadRequest, context: grpc.ServicerContext
    ) -> pb.CancelUploadResponse:
        call = self._calls.of(context)
        self._upload_service.cancel(request.upload_id, owner=call.user(request.user_id))
        return pb.CancelUploadResponse()
