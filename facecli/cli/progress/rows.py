"""Rows of progress: one per transfer and per task."""

import time
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from facecli.cli.progress.amounts import bytes_text, rate_text, time_text
from facecli.cli.progress.frame_rate import FrameRate
from facecli.cli.progress.rate import WindowRate, seconds_left
from facecli.core.progress import NullProgress

if TYPE_CHECKING:
    from facecli.tasks.view import TaskView


class RowState(StrEnum):
    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class RowText:
    """The columns of a row; empty where unknown. `share` is the filled part of the bar."""

    name: str
    state: RowState
    share: float | None = None
    amount: str = ""
    rate: str = ""
    time: str = ""
    note: str = ""

    @property
    def percent(self) -> str:
        return "" if self.share is None else f"{int(self.share * 100)}%"


class TransferRow(NullProgress):
    """Row of a transfer: stored bytes, rate, time left. The count never goes back."""

    def __init__(self, name: str = "", total: int | None = None) -> None:
        self.state = RowState.WAITING
        self.done = 0
        self.total = total
        self.rate = WindowRate()
        self._name = name
        self._began: float | None = None
        self._ended: float | None = None
        self._note = ""

    def begin(self, name: str, total: int | None, stored: int) -> None:
        self._name, self.total, self.state = name, total, RowState.RUNNING
        self.rate.clear()
        self._began = time.monotonic()
        self.stored(stored)

    def stored(self, total_stored: int) -> None:
        self.done, self._note = total_stored, ""
        self.rate.add(time.monotonic(), total_stored)

    def waiting(self, reason: str, seconds: float) -> None:
        self._note = f"retry in {seconds:.0f} s: {reason}"
        self.rate.clear()

    def verified(self) -> None:
        self._end(RowState.DONE, "verified")

    def failed(self) -> None:
        """Show that the transfer has failed; the error itself is reported elsewhere."""
        self._end(RowState.FAILED, "failed")

    @property
    def fraction(self) -> float:
        """The stored share, 0 to 1."""
        if self.state is RowState.DONE:
            return 1.0
        return min(1.0, self.done / self.total) if self.total else 0.0

    def text(self) -> RowText:
        known = self.total is not None or self.state is RowState.DONE
        running = self.state is RowState.RUNNING
        rate = self.rate.per_second if running else None
        return RowText(
            name=self._name,
            state=self.state,
            share=self.fraction if known else None,
            amount=bytes_text(self.done, self.total) if self.done or self.total else "",
            rate=rate_text(rate) if rate else "",
            time=self._time(rate),
            note=self._note or (self.state if self.state is RowState.WAITING else ""),
        )

    def _time(self, rate: float | None) -> str:
        if self._ended is not None and self._began is not None:
            return time_text(self._ended - self._began)
        if self.total is None or self._began is None:
            return ""
        elapsed = time.monotonic() - self._began
        left = seconds_left(self.total - self.done, per_second=rate, elapsed=elapsed)
        return "" if left is None else f"{time_text(left)} left"

    def _end(self, state: RowState, note: str) -> None:
        self.state, self._note, self._ended = state, note, time.monotonic()


class TaskRow:
    """Row of a task: frames done, frame rate, time left."""

    def __init__(self, task_id: str) -> None:
        self.rate = FrameRate()
        self._id = task_id
        self._task: TaskView | None = None
        self._failed = False

    def update(self, task: "TaskView") -> bool:
        """Show a change; True if a new attempt has begun."""
        self._task, self._id = task, task.id  # it may have been announced by its key
        return self.rate.update(task)

    def failed(self) -> None:
        """Show that watching the task has failed."""
        self._failed = True

    @property
    def state(self) -> RowState:
        if self._failed:
            return RowState.FAILED
        status = self._task.status if self._task else "pending"
        known = {"pending": RowState.WAITING, "processing": RowState.RUNNING, "completed": RowState.DONE}
        return known.get(status, RowState.FAILED)

    @property
    def fraction(self) -> float:
        """The done share, 0 to 1."""
        return self._task.progress / 100 if self._task else 0.0

    def text(self) -> RowText:
        name = f"task {self._id[:8]}"
        task = self._task
        if task is None:
            return RowText(name=name, state=self.state, note="failed" if self._failed else "waiting")
        attempt = f", attempt {task.attempt}" if task.attempt > 1 else ""
        running = self.state is RowState.RUNNING
        rate, left = self.rate.per_second, self.rate.seconds_left
        return RowText(
            name=name,
            state=self.state,
            share=self.fraction,
            amount=f"{task.frames_done}/{task.frames} frames" if task.frames else "",
            rate=f"{rate:.1f} fps" if rate and running else "",
            time=f"{time_text(left)} left" if left and running else "",
            note=f"{(not task.ended and task.stage) or task.status}{attempt}",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchProgress:
    """Counts of a batch's jobs. `share` is the done part of all, 0 to 1."""

    total: int
    done: int = 0
    skipped: int = 0
    failed: int = 0
    share: float = 0.0
    note: str = ""  # on what goes on just now

    @property
    def ended(self) -> int:
        return self.done + self.skipped + self.failed

    @property
    def text(self) -> str:
        """`12/36 jobs, 3 failed`."""
        failed = f", {self.failed} failed" if self.failed else ""
        return f"{self.ended}/{self.total} jobs{failed}"


class BatchRow:
    """Row of a batch: jobs done, and the time left."""

    def __init__(self) -> None:
        self._progress = BatchProgress(total=0)
        self._rate = WindowRate()
        self._began = time.monotonic()

    def update(self, progress: BatchProgress) -> None:
        self._progress = progress
        self._rate.add(time.monotonic(), progress.share)

    @property
    def state(self) -> RowState:
        if self._progress.ended < self._progress.total:
            return RowState.RUNNING
        return RowState.FAILED if self._progress.failed else RowState.DONE

    @property
    def fraction(self) -> float:
        """The done share, 0 to 1."""
        return self._progress.share

    def text(self) -> RowText:
        elapsed = time.monotonic() - self._began
        left = seconds_left(1 - self.fraction, per_second=self._rate.per_second, elapsed=elapsed)
        running = self.state is RowState.RUNNING
        return RowText(
            name=self._progress.text,
            state=self.state,
            share=self.fraction,
            time=f"{time_text(left)} left" if running and left is not None else "",
            note=self._progress.note if running else "",
        )


Row = TransferRow | TaskRow | BatchRow
