"""The run of a batch: every job through upload, task and download, a bounded number at a time.

Theory of operation. A thread drives one job after the other, so that there are as many jobs in flight as
threads; uploads and the watch are shared by all of them. The only state is on the server: a key made of a
job's inputs and options finds its task again, so that another run does what is missing and nothing twice. An
error of one job is its outcome. An error that every job would meet, such as a server that stays away, stops
the batch, and jobs that have not ended are not run.
"""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain
from queue import Empty, SimpleQueue
from threading import Lock, Thread

from facecli.client.batch.engine_checks import EngineChecks
from facecli.client.batch.existing import ExistingOutputs, Made
from facecli.client.batch.input_uploads import InputUploads
from facecli.client.batch.job_runner import BatchObserver, BatchOptions, JobRunner
from facecli.client.batch.outcome import JobOutcome, JobStatus
from facecli.client.batch.plan import Action, Plan, PlannedJob
from facecli.client.downloads import DownloadClient
from facecli.client.tasks import TaskClient
from facecli.client.uploads import UploadClient
from facecli.core import errors
from facecli.core.errors import AlreadyExists, FacecliError

COMPARISONS = 4  # of existing outputs at a time
POLL_SECONDS = 0.5  # for Ctrl-C, which cannot interrupt an untimed wait of the main thread

# Errors that every other job would meet, too, and those among them that are about one file.
_STOPPING = (
    errors.Unavailable,
    errors.Unauthenticated,
    errors.NotAllowed,
    errors.PolicyRefused,
    errors.TimedOut,
    errors.LimitReached,
    errors.UploadInterrupted,
    errors.OutputFailed,
    errors.Cancelled,
)
_OF_ONE_FILE = (errors.FileTooLarge, errors.ProgramKilled)


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchClients:
    uploads: UploadClient
    tasks: TaskClient
    downloads: DownloadClient


class BatchRun:
    """Runs a plan once. `stopped_by` is the error that has stopped it.

    `connect` is called if there is a job to run.
    """

    def __init__(
        self,
        plan: Plan,
        options: BatchOptions,
        observer: BatchObserver,
        *,
        connect: Callable[[], BatchClients],
        existing: ExistingOutputs,
    ) -> None:
        self.stopped_by: FacecliError | None = None
        self._plan = plan
        self._options = options
        self._observer = observer
        self._connect = connect
        self._existing = existing
        self._waiting = iter([job for job in plan.jobs if job.action is Action.RUN])
        self._ended = SimpleQueue[JobOutcome | None]()  # None for a thread that has ended
        self._lock = Lock()
        self._runner: JobRunner | None = None

    @property
    def running_tasks(self) -> list[str]:
        """IDs of the tasks whose results are not there yet."""
        return self._runner.running_tasks if self._runner else []

    def outcomes(self) -> Iterator[JobOutcome]:
        """Yield the outcome of every job: first of those that need not or cannot run, then as they end.

        InvalidInput, before a byte is sent, for an engine or the name of an option that does not exist.
        """
        runnable = [job for job in self._plan.jobs if job.action is Action.RUN]
        if runnable:
            self._clients = self._connect()
            self._engines = EngineChecks(self._clients.tasks)
            self._engines.check_names(runnable)
        left = {job.job.number: job for job in self._plan.jobs}
        for outcome in chain(self._ended_by_plan(), self._run_all(len(runnable))):
            if outcome.status is not JobStatus.NOT_RUN:
                del left[outcome.planned.job.number]
                yield outcome
        for planned in left.values():
            yield JobOutcome(planned=planned, status=JobStatus.NOT_RUN)

    def _ended_by_plan(self) -> Iterator[JobOutcome]:
        with ThreadPoolExecutor(COMPARISONS, thread_name_prefix="batch-existing") as pool:
            for outcome in pool.map(self._planned_outcome, self._plan.jobs):
                if outcome is None:
                    continue
                yield outcome
                if outcome.error and self._options.fail_fast:
                    self.stopped_by = outcome.error
                    pool.shutdown(cancel_futures=True)
                    return

    def _planned_outcome(self, planned: PlannedJob) -> JobOutcome | None:
        """The outcome of a job that need not run, or cannot; None for the others."""
        if planned.action is Action.RUN:
            return None
        if planned.action is Action.REFUSE:
            return JobOutcome(planned=planned, status=JobStatus.FAILED, error=planned.error)
        made = self._existing.made(planned)
        if made is Made.OTHER:
            return JobOutcome(planned=planned, status=JobStatus.FAILED, error=AlreadyExists(made.value))
        return JobOutcome(planned=planned, status=JobStatus.SKIPPED, made=made)

    def _run_all(self, count: int) -> Iterator[JobOutcome]:
        if self.stopped_by or not count:
            return
        options = self._options
        self._uploads = InputUploads(
            self._clients.uploads,
            chunk_size=options.chunk_size,
            retry_for=options.retry_for,
            limit_rate=options.limit_rate,
            transfer=self._observer.transfer,
        )
        self._watch = self._clients.tasks.shared_watch(retry_for=options.retry_for)
        runner = self._runner = JobRunner(
            options,
            self._observer,
            uploads=self._uploads,
            watch=self._watch,
            tasks=self._clients.tasks,
            downloads=self._clients.downloads,
            engines=self._engines,
        )
        threads = min(options.in_flight, count)
        for _ in range(threads):
            Thread(target=self._drive, args=[runner], name="batch-job", daemon=True).start()
        try:
            while threads:
                outcome = self._next_outcome()
                if outcome is None:
                    threads -= 1
                else:
                    yield outcome
        finally:
            ended = errors.Cancelled("the batch has ended")
            if threads:
                self._stop(ended)
            self._uploads.stop(ended)
            self._watch.stop(ended)

    def _next_outcome(self) -> JobOutcome | None:
        while True:
            with suppress(Empty):
                return self._ended.get(timeout=POLL_SECONDS)

    def _drive(self, runner: JobRunner) -> None:
        """Run one job after the other, in a thread."""
        try:
            while planned := self._next_job():
                self._ended.put(self._outcome(planned, runner))
        except ValueError:  # gRPC's error for a call on a closed channel
            if not self.stopped_by:
                raise
        finally:
            self._ended.put(None)

    def _next_job(self) -> PlannedJob | None:
        with self._lock:
            return None if self.stopped_by else next(self._waiting, None)

    def _outcome(self, planned: PlannedJob, runner: JobRunner) -> JobOutcome:
        began = time.monotonic()
        error: FacecliError | None = None
        try:
            reused = runner.run(planned)
        except FacecliError as raised:
            error, reused = raised, False
        task = runner.ended(planned)
        status = self._status(error)
        if error and self._options.fail_fast:
            self._stop(error)
        return JobOutcome(
            planned=planned,
            status=status,
            task=task,
            error=error if status is JobStatus.FAILED else None,
            reused=reused,
            seconds=time.monotonic() - began,
        )

    def _status(self, error: FacecliError | None) -> JobStatus:
        """The status of a job after an error; an error that every job would meet stops the batch."""
        if error is None:
            return JobStatus.DONE
        if isinstance(error, _STOPPING) and not isinstance(error, _OF_ONE_FILE):
            self._stop(error)
            return JobStatus.NOT_RUN
        return JobStatus.NOT_RUN if error is self.stopped_by else JobStatus.FAILED

    def _stop(self, error: FacecliError) -> None:
        with self._lock:
            self.stopped_by = self.stopped_by or error
        self._uploads.stop(self.stopped_by)
        self._watch.stop(self.stopped_by)
