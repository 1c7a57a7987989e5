"""One run of the upload client over a list of files."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence

from facecli.client.context import ClientContext
from facecli.client.retry import STREAM_BREAKS, Action, decide
from facecli.client.send_rate import SendRateLimiter
from facecli.client.transfers import FileToSend, UploadOutcome
from facecli.client.upload_batch import BatchSender
from facecli.client.upload_state import UploadState
from facecli.core.backoff import RetryBudget
from facecli.core.errors import FacecliError, TakenOver, TimedOut, Unauthenticated, UploadInterrupted
from facecli.uploads.view import UploadView

BATCH_SIZE = 200  # files that are begun together and share a stream


class UploadRun:
    """Sends files in batches, retrying with backoff while the retry budget lasts.

    `open_file` makes the state of a file's upload.
    """

    def __init__(
        self,
        files: Iterable[FileToSend],
        *,
        open_file: Callable[[FileToSend], UploadState],
        context: ClientContext,
        sender: BatchSender,
        limiter: SendRateLimiter,
        retry_budget: RetryBudget,
        stall_limit: float,
    ) -> None:
        self._waiting = deque(files)
        self._active = list[UploadState]()
        self._batch_size = BATCH_SIZE
        self._stopped_by: FacecliError | None = None
        self._open_file = open_file
        self._context = context
        self._sender = sender
        self._limiter = limiter
        self._retry_budget = retry_budget
        self._stall_limit = stall_limit
        self._begun = False  # whether the server has accepted any file

    def outcomes(self) -> Iterator[UploadOutcome]:
        """Yield the outcome of each file as soon as it is known, and last the error that stopped the run."""
        try:
            while self._waiting or self._active:
                yield from self._fill()
                yield from self._send_batch()
                if self._stopped_by:
                    yield UploadOutcome(error=self._stopped_by)
                    return
                yield from self._remove_failed()
        finally:
            for state in self._active:
                state.source.close()

    def _fill(self) -> Iterator[UploadOutcome]:
        while self._waiting and len(self._active) < BATCH_SIZE:
            file = self._waiting.popleft()
            try:
                self._active.append(self._open_file(file))
            except FacecliError as error:
                yield UploadOutcome(file=file, error=error)

    def _send_batch(self) -> Iterator[UploadOutcome]:
        batch = self._active[: self._batch_size]
        try:
            sent = self._sender.send(
                batch,
                limiter=self._limiter,
                retry_budget=self._retry_budget,
                stall_limit=self._stall_limit,
            )
            for state, upload in sent:
                self._active.remove(state)
                yield self._completed(state, upload)
            self._batch_size = BATCH_SIZE
            self._wait_for_others()
        except FacecliError as error:
            if self._active:  # otherwise every file was complete before the stream broke
                self._handle(error, batch)

    def _completed(self, state: UploadState, upload: UploadView) -> UploadOutcome:
        try:
            return UploadOutcome(file=state.file, upload=state.result(upload))
        except FacecliError as error:
            return UploadOutcome(file=state.file, error=error)
        finally:
            state.source.close()

    def _handle(self, error: FacecliError, batch: Sequence[UploadState]) -> None:
        self._begun = self._begun or any(state.upload for state in batch)
        failed = _failed_upload(error, batch)
        action = decide(
            error,
            batch_size=len(batch),
            token_renewed=isinstance(error, Unauthenticated) and self._context.connection.has_new_token(),
            names_file=failed is not None,
        )
        match action:
            case Action.RENEW_TOKEN:
                self._count_break()
            case Action.SEND_ONE_BY_ONE:
                self._batch_size = 1
            case Action.WAIT_AND_RETRY:
                if not self._wait(error):
                    self._stopped_by = self._interruption(error)
            case Action.STOP:
                self._stopped_by = self._timed_out() if isinstance(error, TimedOut) else error
            case Action.LEAVE_FILE:
                assert failed
                assert isinstance(error, TakenOver)
                failed.leave(error)
                self._wait_for_others()
            case Action.FAIL_FILE:
                assert failed
                failed.error = error

    def _wait(self, error: FacecliError) -> bool:
        self._count_break()
        if self._retry_budget.tried:
            self._sender.use_patient_channel()
        try:
            return self._retry_budget.wait(error, self._active[0].file.progress.waiting)
        except TimedOut:
            self._stopped_by = self._timed_out()
            return True

    def _wait_for_others(self) -> None:
        """Wait if every file is left to another client; its error when that makes no progress any more."""
        errors = [state.left_for for state in self._active if state.left_for]
        if not errors or len(errors) < len(self._active):
            return
        try:
            if not self._retry_budget.wait(errors[0], self._active[0].file.progress.waiting):
                for state in self._active:
                    state.error = state.left_for
        except TimedOut:
            self._stopped_by = self._timed_out()

    def _count_break(self) -> None:
        for state in self._active:
            if state.upload:
                state.breaks += 1

    def _interruption(self, error: FacecliError) -> FacecliError:
        """The error to report when the retry budget is spent."""
        if not isinstance(error, STREAM_BREAKS) or not self._begun:
            return error
        return UploadInterrupted(f"{self._position()}: {error.message}{self._rest()}")

    def _timed_out(self) -> FacecliError:
        resume = f"run the same command again to resume{self._rest()}"
        return self._context.connection.deadline.error(self._position(), resume)

    def _position(self) -> str:
        first = self._active[0]
        return f"the upload of {first.file.name} stopped at {first.stored_bytes} of {first.source.size} bytes"

    def _rest(self) -> str:
        others = len(self._active) + len(self._waiting) - 1
        return f"; {others} more are not complete" if others else ""

    def _remove_failed(self) -> Iterator[UploadOutcome]:
        for state in [each for each in self._active if each.error]:
            self._active.remove(state)
            state.source.close()
            yield UploadOutcome(file=state.file, error=state.error)


def _failed_upload(error: FacecliError, batch: Sequence[UploadState]) -> UploadState | None:
    """The upload that an error is about, if that is known."""
    if len(batch) == 1:
        return batch[0]
    upload_id = error.details.get("upload_id")
    return next((each for each in batch if each.upload and each.upload.id == upload_id), None)
