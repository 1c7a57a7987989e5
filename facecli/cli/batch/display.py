"""The bar of a batch: one for all jobs, moved by their tasks and transfers."""

from threading import Lock

from facecli.cli.progress.bar import BatchBar
from facecli.cli.progress.rows import BatchProgress
from facecli.client.batch.outcome import JobOutcome, JobStatus
from facecli.client.batch.plan import PlannedJob
from facecli.core.progress import NullProgress, TransferProgress
from facecli.tasks.view import TaskView

_TASK_SHARE = 0.99  # of a job; the rest is the download of its result


class BatchDisplay:
    """Observes a run. Safe to use from many threads; a bar that cannot be drawn is dropped."""

    def __init__(self, bar: BatchBar, *, total: int) -> None:
        self._bar: BatchBar | None = bar
        self._total = total
        self._lock = Lock()
        self._counts = dict.fromkeys(JobStatus, 0)
        self._shares = dict[int, float]()  # of running jobs, by number
        self._note = ""

    def transfer(self) -> TransferProgress:
        return _Transfer(self)

    def changed(self, job: PlannedJob, task: TaskView) -> None:
        with self._lock:
            self._shares[job.job.number] = task.progress * _TASK_SHARE / 100
        self._draw()

    def ended(self, outcome: JobOutcome) -> None:
        """The outcome of a job is known."""
        with self._lock:
            self._counts[outcome.status] += 1
            self._shares.pop(outcome.planned.job.number, None)
        self._draw()

    def note(self, text: str) -> None:
        """Show what goes on just now."""
        with self._lock:
            self._note = text
        self._draw()

    def _draw(self) -> None:
        with self._lock:
            counts = self._counts
            ended = counts[JobStatus.DONE] + counts[JobStatus.SKIPPED] + counts[JobStatus.FAILED]
            progress = BatchProgress(
                total=self._total,
                done=counts[JobStatus.DONE],
                skipped=counts[JobStatus.SKIPPED],
                failed=counts[JobStatus.FAILED],
                share=min(1.0, (ended + sum(self._shares.values())) / self._total),
                note=self._note,
            )
            if self._bar:
                try:
                    self._bar(progress)
                except (OSError, ValueError):  # stderr is closed
                    self._bar = None


class _Transfer(NullProgress):
    """Notes how far the transfer of one file is."""

    def __init__(self, display: BatchDisplay) -> None:
        self._display = display
        self._name = ""
        self._total: int | None = None
        self._percent = -1

    def begin(self, name: str, total: int | None, stored: int) -> None:
        self._name, self._total = name, total
        self.stored(stored)

    def stored(self, total_stored: int) -> None:
        percent = 100 * total_stored // self._total if self._total else 0
        if percent != self._percent:
            self._percent = percent
            self._display.note(f"{self._name} {percent}%")

    def waiting(self, reason: str, seconds: float) -> None:
        self._display.note(f"retry in {seconds:.0f} s: {reason}")

    def verified(self) -> None:
        self._display.note("")
