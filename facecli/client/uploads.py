"""The upload client: sends, lists and cancels uploads."""

from collections.abc import Iterable, Iterator

from facecli.client.calls.pages import all_items
from facecli.client.calls.stall_watch import stall_limit
from facecli.client.calls.unary import UnaryCalls
from facecli.client.context import ClientContext
from facecli.client.send_rate import SendRateLimiter
from facecli.client.transfers import FileToSend, SentUpload, UploadOutcome
from facecli.client.upload_batch import BatchSender
from facecli.client.upload_run import UploadRun
from facecli.client.upload_state import UploadState
from facecli.core.errors import UploadNotFound
from facecli.uploads.stage_times import StageTimes
from facecli.uploads.view import UploadView
from facecli.wire import uploads as wire
from facecli.wire.generated import upload_service_pb2 as pb


class UploadClient:
    """Sends files, many on one stream, and resumes them after every break."""

    def __init__(self, context: ClientContext) -> None:
        self._context = context
        self._connection = context.connection
        self._calls = UnaryCalls(context.connection)
        self._sender = BatchSender(context.connection)

    def send(
        self,
        files: Iterable[FileToSend],
        *,
        chunk_size: int,
        resume: bool = True,
        retry_for: float,
        limit_rate: int = 0,
    ) -> Iterator[UploadOutcome]:
        """Upload files and yield the outcome of each as soon as it is known.

        The error of one file does not stop the others: InvalidInput for an unreadable file, BytesDiffer when
        the stored file is not this one. An error that stops all of them is the last outcome: after
        `retry_for` seconds without progress UploadInterrupted, or Unavailable if the server has accepted no
        file. `limit_rate` is in bytes per second, 0 for no limit.
        """
        context = self._context

        def open_file(file: FileToSend) -> UploadState:
            return UploadState(
                file, user=context.user, chunk_size=chunk_size, fresh=not resume, clock=context.clock
            )

        run = UploadRun(
            files,
            open_file=open_file,
            context=context,
            sender=self._sender,
            limiter=SendRateLimiter(limit_rate, clock=context.clock, sleep=context.sleep),
            retry_budget=context.retry_budget(retry_for),
            stall_limit=stall_limit(retry_for, self._connection.call_timeout),
        )
        return run.outcomes()

    def send_one(self, file: FileToSend, *, chunk_size: int, retry_for: float) -> SentUpload:
        """Upload one file; raises its error."""
        (outcome,) = self.send([file], chunk_size=chunk_size, retry_for=retry_for)
        return outcome.get()

    @property
    def stages(self) -> StageTimes | None:
        """The server's stage times of all streams of this client; None if it does not measure them."""
        return self._sender.stages

    def get(self, upload_id: str) -> UploadView:
        request = pb.GetUploadRequest(user_id=self._context.user, upload_id=upload_id)
        return self._calls.call(
            self._sender.stub.GetUpload, request, lambda response: wire.from_message(response.upload)
        )

    def listed(self) -> Iterator[UploadView]:
        """The user's uploads, newest first."""

        def fetch(token: str) -> tuple[list[UploadView], str]:
            request = pb.ListUploadsRequest(user_id=self._context.user, page_token=token)
            return self._calls.call(self._sender.stub.ListUploads, request, wire.page_from_message)

        return all_items(fetch, unexpected=self._connection.unexpected)

    def cancel(self, upload_id: str) -> None:
        """Remove an upload and its bytes, complete or not."""
        request = pb.CancelUploadRequest(user_id=self._context.user, upload_id=upload_id)
        done = (UploadNotFound, lambda: None)
        self._calls.call(self._sender.stub.CancelUpload, request, lambda response: None, done=done)
