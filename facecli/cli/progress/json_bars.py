"""Progress as JSON lines, for scripts."""

import json

from facecli.cli.progress.bar import BatchBar, TaskBar, TransferBar
from facecli.cli.progress.frame_rate import FrameRate
from facecli.cli.progress.rows import BatchProgress
from facecli.cli.progress.safe import SafeProgress
from facecli.cli.shared.output import write_stderr
from facecli.core.progress import NullProgress
from facecli.tasks.view import TaskView


class JsonBars:
    """One JSON event per line on stderr."""

    def transfer(self, name: str = "", total: int | None = None) -> TransferBar:
        return SafeProgress(_JsonTransfer())

    def task(self, task_id: str = "") -> TaskBar:
        return _JsonTask()

    def batch(self) -> BatchBar:
        return _JsonBatch()


class _JsonBatch:
    """An event for every job that ends, and for every percent."""

    def __init__(self) -> None:
        self._last: tuple[int, int] | None = None

    def __call__(self, progress: BatchProgress) -> None:
        percent = int(progress.share * 100)
        if (now := (progress.ended, percent)) != self._last:
            self._last = now
            _event(
                "batch",
                total=progress.total,
                done=progress.done,
                skipped=progress.skipped,
                failed=progress.failed,
                progress=percent,
            )


class _JsonTask:
    def __init__(self) -> None:
        self._rate = FrameRate()

    def failed(self) -> None:
        """Ignored: the error is a JSON line of its own."""

    def __call__(self, task: TaskView) -> None:
        if self._rate.update(task):
            _event("attempt", task_id=task.id, round=task.round, attempt=task.attempt)
        _event(
            "task",
            task_id=task.id,
            status=task.status,
            progress=task.progress,
            frames_done=task.frames_done,
            frames=task.frames,
            frames_per_second=_rounded(self._rate.per_second),
            seconds_left=_rounded(self._rate.seconds_left),
            stage=task.stage,
            round=task.round,
            attempt=task.attempt,
        )


class _JsonTransfer(NullProgress):
    def __init__(self) -> None:
        self._name = ""
        self._total: int | None = None

    def begin(self, name: str, total: int | None, stored: int) -> None:
        self._name, self._total = name, total
        self.stored(stored)

    def stored(self, total_stored: int) -> None:
        _event("stored", name=self._name, stored=total_stored, total=self._total)

    def waiting(self, reason: str, seconds: float) -> None:
        _event("waiting", name=self._name, reason=reason, seconds=round(seconds, 1))

    def verified(self) -> None:
        _event("verified", name=self._name)


def _rounded(number: float | None) -> float | None:
    return None if number is None else round(number, 1)


def _event(kind: str, **values: object) -> None:
    write_stderr(json.dumps({"event": kind, **values}))
