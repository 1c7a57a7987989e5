"""Sends files, going on after every break."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import grpc

from facecli.client.connection import Connection
from facecli.client.sending import Sending
from facecli.client.source import Source
from facecli.core.errors import (
    FacecliError,
    IdleTooLong,
    ServerUnreachable,
    TimedOut,
    Unavailable,
    UploadInterrupted,
)
from facecli.core.progress import TransferProgress
from facecli.core.transfers import Patience, SentUpload
from facecli.core.uploads import FileType, Frame, Upload, UploadStatus
from facecli.wire import uploads as wire
from facecli.wire.frames import encode
from facecli.wire.generated import upload_service_pb2 as pb
from facecli.wire.generated import upload_service_pb2_grpc as pb_grpc

_BREAKS = (Unavailable, TimedOut, IdleTooLong)


class UploadClient:
    def __init__(
        self,
        connection: Connection,
        *,
        user: str,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._connection = connection
        self._stub = pb_grpc.UploadServiceStub(connection.channel)
        self._send: grpc.StreamStreamMultiCallable[bytes, pb.StreamUploadResponse] = (
            connection.channel.stream_stream(
                "/video.UploadService/StreamUpload", None, pb.StreamUploadResponse.FromString
            )
        )
        self._user = user
        self._clock = clock
        self._sleep = sleep

    def send(
        self,
        path: Path,
        *,
        name: str,
        file_type: FileType,
        chunk_size: int,
        resume: bool,
        retry_for: float,
        progress: TransferProgress,
    ) -> SentUpload:
        """Upload a file; what the server has of it is compared, not sent again.

        InvalidInput for an unreadable file, ServerUnreachable when there is no server at the start,
        UploadInterrupted when `retry_for` seconds brought nothing on, BytesDiffer when the stored file is
        not this one.
        """
        patience = Patience(retry_for, clock=self._clock, sleep=self._sleep)
        started = self._clock()
        with Source(path) as source:
            request = pb.BeginUploadRequest(
                user_id=self._user,
                name=name,
                file_type=file_type,
                size=source.size,
                chunk_size=chunk_size,
                fingerprint=source.fingerprint(),
                fresh=not resume,
            )
            sending = Sending(source, progress, patience)
            upload = None
            while upload is None:
                try:
                    upload = self._one_try(request, sending)
                except FacecliError as error:
                    self._wait(error, request, sending, patience)
            return sending.result(upload, self._clock() - started)

    def _one_try(self, request: pb.BeginUploadRequest, sending: Sending) -> Upload | None:
        """The complete upload; None to begin another one, because the stored one is of a different file."""
        with self._connection.calling():
            answer = self._stub.BeginUpload(
                request, timeout=self._connection.timeout, metadata=self._connection.metadata
            )
        upload = wire.from_message(answer.upload)
        request.fresh = False
        sending.begin(upload, wire.chunks_from_messages(answer.chunks))
        if not upload.completed:
            return self._stream(upload, sending)
        if sending.matches():
            return upload
        request.fresh = True
        return None

    def _stream(self, upload: Upload, sending: Sending) -> Upload:
        """Send what is missing; the complete upload as the last acknowledgement tells it."""
        messages = _messages(sending.frames(), upload.id, self._user)
        call = self._send(messages, metadata=self._connection.metadata)
        try:
            with self._connection.calling():
                for answer in call:
                    sending.stored(answer.stored_bytes)
                    if answer.status == UploadStatus.COMPLETED:
                        upload = replace(upload, status=UploadStatus.COMPLETED, crc32c=answer.crc32c)
        finally:
            call.cancel()
        if sending.error:
            raise sending.error
        if not upload.completed:
            raise Unavailable("the stream ended before every chunk was stored")
        return upload

    def _wait(
        self,
        error: FacecliError,
        request: pb.BeginUploadRequest,
        sending: Sending,
        patience: Patience,
    ) -> None:
        """Pause before the next try, or raise: at once what no retry mends, in the end what stopped us."""
        never_begun = isinstance(error, ServerUnreachable) and not sending.begun
        if never_begun or not (error.retryable or isinstance(error, _BREAKS)):
            raise error
        if not patience.pause(error, sending.progress.waiting):
            if not isinstance(error, _BREAKS):
                raise error
            raise UploadInterrupted(
                f"the upload of {request.name} stopped at {sending.stored_bytes} of {request.size} bytes: "
                f"{error.message}"
            ) from error


def _messages(frames: Iterator[Frame], upload_id: str, user: str) -> Iterator[bytes]:
    for frame in frames:
        yield encode(frame, upload_id=upload_id, user=user)
        upload_id = user = ""
