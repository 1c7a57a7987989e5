"""UploadService: uploads that go on after any break."""

from collections.abc import Iterator, Sequence
from contextlib import closing, suppress

import grpc

from facecli.api.admission import Admission
from facecli.api.authentication import Callers
from facecli.api.pagination import page
from facecli.api.upload_pipeline import StreamLimits, UploadPipeline
from facecli.api.upload_session import NOTHING_BEGUN, UploadSession
from facecli.core.errors import FacecliError, InvalidInput
from facecli.uploads.committer import WrittenChunk
from facecli.uploads.service import UploadService
from facecli.uploads.upload import FRAME_SIZE, Frame
from facecli.wire import uploads as wire
from facecli.wire.generated import upload_service_pb2 as pb
from facecli.wire.generated import upload_service_pb2_grpc as pb_grpc

MOST_BEGUN = 256  # files at once


class UploadServicer(pb_grpc.UploadServiceServicer):
    def __init__(
        self, upload_service: UploadService, *, callers: Callers, admission: Admission, limits: StreamLimits
    ) -> None:
        self._upload_service = upload_service
        self._callers = callers
        self._admission = admission
        self._limits = limits

    def BeginUpload(
        self, request: pb.BeginUploadRequest, context: grpc.ServicerContext
    ) -> pb.BeginUploadResponse:
        owner = self._callers.of(context).user(request.user_id)
        upload, chunks = self._upload_service.begin(
            wire.new_upload(request, owner=owner), fresh=request.fresh
        )
        return pb.BeginUploadResponse(upload=wire.to_message(upload), chunks=wire.chunks_to_messages(chunks))

    def BeginUploads(
        self, request: pb.BeginUploadsRequest, context: grpc.ServicerContext
    ) -> pb.BeginUploadsResponse:
        if len(request.uploads) > MOST_BEGUN:
            raise InvalidInput(f"BeginUploads takes {MOST_BEGUN} files at once")
        caller = self._callers.of(context)
        wanted = [
            (wire.new_upload(each, owner=caller.user(each.user_id)), each.fresh) for each in request.uploads
        ]
        return pb.BeginUploadsResponse(
            uploads=[
                pb.BeginUploadResponse(upload=wire.to_message(upload), chunks=wire.chunks_to_messages(chunks))
                for upload, chunks in self._upload_service.begin_all(wanted)
            ]
        )

    def StreamUpload(  # type: ignore[override]  # messages come as bytes: interceptors/raw.py
        self, request_iterator: Iterator[bytes], context: grpc.ServicerContext
    ) -> Iterator[pb.StreamUploadResponse]:
        caller = self._callers.of(context)
        with (
            self._admission.acquire(caller.proved) as slot,
            UploadSession(self._upload_service, user=caller.user) as reception,
        ):
            intake = UploadPipeline(
                request_iterator,
                reception.write,
                limits=self._limits,
                first=FRAME_SIZE,
                active=caller.active,
                slot=slot,
            )
            with closing(iter(intake)) as batches:
                try:
                    for batch in batches:
                        for upload, chunk in reception.store(batch):
                            yield wire.acknowledgement(upload, chunk)
                except GeneratorExit:  # the line was cut, and gRPC takes no more answers
                    _keep(batches, reception)
                    raise
            if not reception.begun:
                raise InvalidInput(NOTHING_BEGUN)

    def UploadChunk(
        self, request: pb.UploadChunkRequest, context: grpc.ServicerContext
    ) -> pb.UploadChunkResponse:
        caller = self._callers.of(context)
        owner = caller.user(request.user_id)
        upload = self._upload_service.get(request.upload_id, owner=owner)
        frame = Frame(
            offset=request.chunk_index * upload.chunk_size,
            data=request.data,
            chunk_crc32c=request.crc32c if request.HasField("crc32c") else None,
            ends_chunk=True,
        )
        with self._admission.acquire(caller.proved):
            stored = self._upload_service.put_chunk(upload.id, frame, owner=owner)
        return pb.UploadChunkResponse(upload=wire.to_message(stored))

    def GetUpload(self, request: pb.GetUploadRequest, context: grpc.ServicerContext) -> pb.GetUploadResponse:
        owner = self._callers.of(context).user(request.user_id)
        upload = self._upload_service.get(request.upload_id, owner=owner)
        chunks = self._upload_service.chunks(upload.id)
        return pb.GetUploadResponse(upload=wire.to_message(upload), chunks=wire.chunks_to_messages(chunks))

    def ListUploads(
        self, request: pb.ListUploadsRequest, context: grpc.ServicerContext
    ) -> pb.ListUploadsResponse:
        owner = self._callers.of(context).user(request.user_id)
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
        self._upload_service.cancel(request.upload_id, owner=self._callers.of(context).user(request.user_id))
        return pb.CancelUploadResponse()


def _keep(batches: Iterator[Sequence[WrittenChunk]], reception: UploadSession) -> None:
    """Store what had arrived whole, of which nobody can be told: it need not be sent again."""
    with suppress(FacecliError, grpc.RpcError):
        for batch in batches:
            for _ in reception.store(batch):
                pass
