"""One batch of uploads on one stream."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace

import grpc

from facecli.client.calls.response_stream import ResponseStream
from facecli.client.calls.send_window import SendWindow
from facecli.client.calls.unary import UnaryCalls
from facecli.client.connection import Connection
from facecli.client.send_rate import SendRateLimiter
from facecli.client.upload_state import UploadState
from facecli.core.backoff import RetryBudget
from facecli.core.errors import Unavailable
from facecli.uploads.stage_times import StageTimes
from facecli.uploads.upload import MAX_CHUNK_SIZE, UploadStatus
from facecli.uploads.view import UploadView
from facecli.wire import uploads as wire
from facecli.wire.generated import upload_service_pb2 as pb
from facecli.wire.generated import upload_service_pb2_grpc as pb_grpc

Completed = tuple[UploadState, UploadView]

MAX_UNACKNOWLEDGED = 2 * MAX_CHUNK_SIZE  # bytes; a server that takes more without a word makes no progress


class BatchSender:
    """Begins the uploads of a batch together and streams their missing chunks."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._calls = UnaryCalls(connection)
        self.stages: StageTimes | None = None  # of all streams so far; None when the server tells none
        self._use(connection.channel)

    def use_patient_channel(self) -> None:
        """Allow a slow network more time to answer keepalive pings."""
        self._use(self._connection.patient_channel)

    def send(
        self,
        batch: Sequence[UploadState],
        *,
        limiter: SendRateLimiter,
        retry_budget: RetryBudget,
        stall_limit: float,
    ) -> Iterator[Completed]:
        """Yield each upload when it is complete. Stored chunks are compared and not sent again.

        Uploads that are left to another client are not sent.
        """
        if not batch:
            return
        if self._begin(batch, min(self._connection.call_timeout, stall_limit)):
            retry_budget.progressed()
        missing = dict[str, UploadState]()
        for state in batch:
            upload = state.upload
            assert upload
            if not upload.completed and state.left_for:
                state.show()
            elif not upload.completed:
                missing.setdefault(upload.id, state)  # the same file twice is compared in the next batch
            elif state.matches():
                yield state, upload
            else:
                state.start_over()
        if missing:
            yield from self._stream_missing(missing, limiter, retry_budget, stall_limit)

    def _use(self, channel: grpc.Channel) -> None:
        self.stub = pb_grpc.UploadServiceStub(channel)
        self._stream = channel.stream_stream(
            "/video.UploadService/StreamUpload",
            request_serializer=bytes,
            response_deserializer=pb.StreamUploadResponse.FromString,
        )

    def _begin(self, batch: Sequence[UploadState], timeout: float) -> bool:
        """Begin the uploads; true if another client has made progress with one of them."""
        request = pb.BeginUploadsRequest(uploads=[state.request for state in batch])
        begun = self._calls.call(
            self.stub.BeginUploads, request, wire.begun_from_message, retry_for=0, timeout=timeout
        )
        if len(begun) != len(batch):
            raise self._connection.unexpected(f"{len(begun)} uploads for {len(batch)} files")
        advanced = False
        for state, (upload, chunks) in zip(batch, begun, strict=True):
            with self._connection.translated_errors():
                advanced |= state.begin(upload, chunks)
        return advanced

    def _stream_missing(
        self,
        missing: dict[str, UploadState],
        limiter: SendRateLimiter,
        retry_budget: RetryBudget,
        stall_limit: float,
    ) -> Iterator[Completed]:
        begun = dict(missing)
        window = SendWindow()
        sending = _Sending(list(missing.values()), limiter, window)
        call = self._stream(
            iter(sending), timeout=self._connection.deadline.left(), metadata=self._connection.metadata
        )
        next(iter(missing.values())).show()
        earlier = self.stages or StageTimes()
        with (
            closing(window),
            ResponseStream(
                call, wire.acknowledgement_from_message, connection=self._connection, limit=stall_limit
            ) as stream,
        ):
            sending.active = stream.active
            for answer in stream:
                window.acknowledged((answer.upload_id, answer.chunk_index))
                state = begun.get(answer.upload_id)
                if state is None:
                    raise self._connection.unexpected("an acknowledgement of another upload")
                if answer.upload_id not in missing:
                    continue  # another client has completed it
                state.show()
                if answer.stages:
                    self.stages = earlier + answer.stages
                with self._connection.translated_errors():
                    advanced = state.acknowledged(answer)
                if advanced:
                    sending.acknowledged()
                    stream.progressed()
                    retry_budget.progressed()
                if answer.completed and state.upload:
                    del missing[answer.upload_id]
                    yield (
                        state,
                        replace(state.upload, status=UploadStatus.COMPLETED, crc32c=answer.crc32c),
                    )
        if not all(state.error for state in missing.values()):
            raise Unavailable("the stream ended before every chunk was stored")


class _Sending:
    """The messages of one stream. Sending counts as activity, but only as far as acknowledgements follow."""

    def __init__(self, states: Sequence[UploadState], limiter: SendRateLimiter, window: SendWindow) -> None:
        self._states = states
        self._limiter = limiter
        self._window = window
        self._unacknowledged = 0
        self.active: Callable[[], None] = lambda: None

    def acknowledged(self) -> None:
        self._unacknowledged = 0

    def __iter__(self) -> Iterator[bytes]:
        for state in self._states:
            for message in state.messages(self._limiter, self._window):
                yield message
                self._unacknowledged += len(message)
                if self._unacknowledged <= MAX_UNACKNOWLEDGED:
                    self.active()
