"""One batch of uploads on one stream."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import grpc

from facecli.client.connection import Connection
from facecli.client.send_rate import SendRateLimiter
from facecli.client.upload_state import UploadState
from facecli.core.backoff import RetryBudget
from facecli.core.errors import Unavailable
from facecli.uploads.upload import UploadStatus
from facecli.uploads.view import UploadView
from facecli.wire import uploads as wire
from facecli.wire.generated import upload_service_pb2 as pb
from facecli.wire.generated import upload_service_pb2_grpc as pb_grpc

Completed = tuple[UploadState, UploadView]


class BatchSender:
    """Begins the uploads of a batch together and streams their missing chunks."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._use(connection.channel)

    def use_patient_channel(self) -> None:
        """Allow a slow network more time to answer keepalive pings."""
        self._use(self._connection.patient_channel)

    def send(
        self, batch: Sequence[UploadState], *, limiter: SendRateLimiter, retry_budget: RetryBudget
    ) -> Iterator[Completed]:
        """Yield each upload when it is complete. Stored chunks are compared and not sent again."""
        if not batch:
            return
        self._begin(batch)
        missing = dict[str, UploadState]()
        for state in batch:
            upload = state.upload
            assert upload
            if not upload.completed:
                missing.setdefault(upload.id, state)  # the same file twice is compared in the next batch
            elif state.matches():
                yield state, upload
            else:
                state.request.fresh = True
        if missing:
            yield from self._stream_missing(missing, limiter, retry_budget)

    def _use(self, channel: grpc.Channel) -> None:
        self.stub = pb_grpc.UploadServiceStub(channel)
        self._stream = channel.stream_stream(
            "/video.UploadService/StreamUpload",
            request_serializer=bytes,
            response_deserializer=pb.StreamUploadResponse.FromString,
        )

    def _begin(self, batch: Sequence[UploadState]) -> None:
        request = pb.BeginUploadsRequest(uploads=[state.request for state in batch])
        answer = self._connection.call(self.stub.BeginUploads, request)
        for state, begun in zip(batch, answer.uploads, strict=True):
            state.begin(wire.from_message(begun.upload), wire.chunks_from_messages(begun.chunks))

    def _stream_missing(
        self, missing: dict[str, UploadState], limiter: SendRateLimiter, retry_budget: RetryBudget
    ) -> Iterator[Completed]:
        messages = (message for state in list(missing.values()) for message in state.messages(limiter))
        call = self._stream(messages, metadata=self._connection.metadata)
        next(iter(missing.values())).show()
        try:
            with self._connection.translated_errors():
                for answer in call:
                    state = missing.get(answer.upload_id)
                    if state is None:
                        continue  # another client has completed it
                    state.show()
                    if state.stored(answer.stored_bytes):
                        retry_budget.progressed()
                    if answer.status == UploadStatus.COMPLETED and state.upload:
                        del missing[answer.upload_id]
                        yield (
                            state,
                            replace(state.upload, status=UploadStatus.COMPLETED, crc32c=answer.crc32c),
                        )
        finally:
            call.cancel()
        if not all(state.error for state in missing.values()):
            raise Unavailable("the stream ended before every chunk was stored")
