"""Sends files, many on one stream, going on after every break."""

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

import grpc

from facecli.client.connection import Connection
from facecli.client.send_rate import SendRateLimiter
from facecli.client.transfers import FileToSend, Sent, SentUpload
from facecli.client.upload_state import Sending
from facecli.core.backoff import RetryBudget
from facecli.core.errors import (
    FacecliError,
    IdleTooLong,
    NotAllowed,
    PolicyRefused,
    QuotaReached,
    ServerUnreachable,
    TimedOut,
    Unauthenticated,
    Unavailable,
    UploadInterrupted,
)
from facecli.uploads.upload import Upload, UploadStatus
from facecli.wire import uploads as wire
from facecli.wire.generated import upload_service_pb2 as pb
from facecli.wire.generated import upload_service_pb2_grpc as pb_grpc

BATCH_SIZE = 200  # files that are begun together and travel on one stream

_BREAKS = (Unavailable, TimedOut, IdleTooLong)
_FOR_ALL = (ServerUnreachable, Unauthenticated, NotAllowed, PolicyRefused)  # no other file fares better


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
        self._use(connection.channel)
        self._user = user
        self._clock = clock
        self._sleep = sleep

    def send(
        self,
        files: Iterable[FileToSend],
        *,
        chunk_size: int,
        resume: bool = True,
        retry_for: float,
        limit_rate: int = 0,
    ) -> Iterator[Sent]:
        """Upload files; what became of each, as it is known. What the server has is compared, not sent again.

        One file's error keeps no other back: InvalidInput for an unreadable file, BytesDiffer when the stored
        file is not this one. The last is what stopped all: ServerUnreachable when there is no server at the
        start, UploadInterrupted when `retry_for` seconds brought nothing on.
        """
        waiting, active = deque(files), list[Sending]()
        retry_budget = RetryBudget(retry_for, clock=self._clock, sleep=self._sleep)
        limiter = SendRateLimiter(limit_rate, clock=self._clock, sleep=self._sleep)
        at_once = BATCH_SIZE
        try:
            while waiting or active:
                yield from self._open(waiting, active, chunk_size=chunk_size, fresh=not resume)
                batch = active[:at_once]
                try:
                    for sending, upload in self._deliver(batch, limiter, retry_budget):
                        active.remove(sending)
                        yield _outcome(sending, upload, self._clock())
                    at_once = BATCH_SIZE
                except FacecliError as error:
                    if not active:
                        continue  # every file was acknowledged whole before the stream broke
                    blamed = _failed_upload(error, batch)
                    if isinstance(error, Unauthenticated) and self._connection.renewed():
                        _count_break(active)
                    elif isinstance(error, QuotaReached) and len(batch) > 1:
                        at_once = 1  # there is room for some of them
                    elif _is_retryable(error, active):
                        if not self._pause(error, active, retry_budget):
                            yield Sent(error=_gave_up(error, active, len(waiting)))
                            return
                    elif isinstance(error, _FOR_ALL):
                        yield Sent(error=error)
                        return
                    elif blamed:
                        blamed.error = error
                    else:
                        at_once = 1  # then it is known which one is refused
                for sending in [each for each in active if each.error]:
                    active.remove(sending)
                    sending.source.close()
                    yield Sent(error=sending.error)
        finally:
            for sending in active:
                sending.source.close()

    def send_one(self, file: FileToSend, *, chunk_size: int, retry_for: float) -> SentUpload:
        """Upload a file; raises what `send` tells."""
        (sent,) = self.send([file], chunk_size=chunk_size, retry_for=retry_for)
        return sent.get()

    def listed(self) -> Iterator[Upload]:
        """The user's uploads, the newest first."""
        request = pb.ListUploadsRequest(user_id=self._user)
        while True:
            page = self._connection.call(self._stub.ListUploads, request)
            yield from map(wire.from_message, page.uploads)
            if not page.next_page_token:
                return
            request.page_token = page.next_page_token

    def cancel(self, upload_id: str) -> None:
        """Remove an upload and its bytes, finished or not."""
        request = pb.CancelUploadRequest(user_id=self._user, upload_id=upload_id)
        self._connection.call(self._stub.CancelUpload, request)

    def _use(self, channel: grpc.Channel) -> None:
        self._stub = pb_grpc.UploadServiceStub(channel)
        self._stream = channel.stream_stream(
            "/video.UploadService/StreamUpload",
            request_serializer=bytes,
            response_deserializer=pb.StreamUploadResponse.FromString,
        )

    def _open(
        self, waiting: deque[FileToSend], active: list[Sending], *, chunk_size: int, fresh: bool
    ) -> Iterator[Sent]:
        while waiting and len(active) < BATCH_SIZE:
            file = waiting.popleft()
            try:
                active.append(
                    Sending(file, user=self._user, chunk_size=chunk_size, fresh=fresh, started=self._clock())
                )
            except FacecliError as error:
                yield Sent(error=error)

    def _deliver(
        self, batch: Sequence[Sending], limiter: SendRateLimiter, retry_budget: RetryBudget
    ) -> Iterator[tuple[Sending, Upload]]:
        """Begin the files and stream what is missing; each with its upload when that is complete."""
        if not batch:
            return
        self._begin(batch)
        missing = dict[str, Sending]()
        for sending in batch:
            upload = sending.upload
            assert upload
            if not upload.completed:
                missing.setdefault(upload.id, sending)  # the same file twice is compared in the next batch
            elif sending.matches():
                yield sending, upload
            else:
                sending.request.fresh = True
        if missing:
            yield from self._send_missing(missing, limiter, retry_budget)

    def _begin(self, batch: Sequence[Sending]) -> None:
        request = pb.BeginUploadsRequest(uploads=[sending.request for sending in batch])
        answer = self._connection.call(self._stub.BeginUploads, request)
        for sending, begun in zip(batch, answer.uploads, strict=True):
            sending.begin(wire.from_message(begun.upload), wire.chunks_from_messages(begun.chunks))

    def _send_missing(
        self, missing: dict[str, Sending], limiter: SendRateLimiter, retry_budget: RetryBudget
    ) -> Iterator[tuple[Sending, Upload]]:
        messages = (message for each in list(missing.values()) for message in each.messages(limiter))
        call = self._stream(messages, metadata=self._connection.metadata)
        next(iter(missing.values())).show()
        try:
            with self._connection.calling():
                for answer in call:
                    sending = missing.get(answer.upload_id)
                    if sending is None:
                        continue  # complete already, by another client
                    sending.show()
                    if sending.stored(answer.stored_bytes):
                        retry_budget.progressed()
                    if answer.status == UploadStatus.COMPLETED and sending.upload:
                        del missing[answer.upload_id]
                        upload = replace(sending.upload, status=UploadStatus.COMPLETED, crc32c=answer.crc32c)
                        yield sending, upload
        finally:
            call.cancel()
        if not all(sending.error for sending in missing.values()):
            raise Unavailable("the stream ended before every chunk was stored")

    def _pause(self, error: FacecliError, active: Sequence[Sending], retry_budget: RetryBudget) -> bool:
        _count_break(active)
        if retry_budget.tried:
            self._use(self._connection.patient_channel)
        return retry_budget.wait(error, active[0].file.progress.waiting)


def _count_break(active: Sequence[Sending]) -> None:
    for sending in active:
        if sending.upload:
            sending.breaks += 1


def _outcome(sending: Sending, upload: Upload, now: float) -> Sent:
    try:
        return Sent(upload=sending.result(upload, now))
    except FacecliError as error:
        return Sent(error=error)
    finally:
        sending.source.close()


def _is_retryable(error: FacecliError, active: Sequence[Sending]) -> bool:
    """Whether another try may mend it."""
    if isinstance(error, ServerUnreachable) and not any(sending.upload for sending in active):
        return False
    return error.retryable or isinstance(error, _BREAKS)


def _failed_upload(error: FacecliError, batch: Sequence[Sending]) -> Sending | None:
    """The file that an error is about."""
    if len(batch) == 1:
        return batch[0]
    upload_id = error.details.get("upload_id")
    return next((each for each in batch if each.upload and each.upload.id == upload_id), None)


def _gave_up(error: FacecliError, active: Sequence[Sending], waiting: int) -> FacecliError:
    if not isinstance(error, _BREAKS):
        return error
    first, others = active[0], len(active) + waiting - 1
    rest = f"; {others} more are not complete" if others else ""
    return UploadInterrupted(
        f"the upload of {first.file.name} stopped at {first.stored_bytes} of {first.source.size} bytes: "
        f"{error.message}{rest}"
    )
