"""Progress of a run: how often it is written to the database, and whether the run was fenced off."""

import logging
from collections.abc import Callable
from functools import partial

from facecli.core.errors import DiskFull, NotFound, TakenOver, Unavailable
from facecli.tasks import transitions
from facecli.tasks.logs.run_log import RunLog
from facecli.tasks.store import TaskStore
from facecli.tasks.task import Task

CANCEL_CHECK_INTERVAL = 0.15  # seconds between two checks that the run still holds the task
PROGRESS_INTERVAL = 0.25  # seconds between two records of progress; each is a transaction of the worker

_log = logging.getLogger(__name__)


class ProgressReporter:
    """Maps the progress of each step to a percentage of the whole run.

    A step of weight w covers w of `total_weight` parts; its last percent is reported by the next step.
    The records of the run's log are stored with the reports.
    """

    def __init__(self, tasks: TaskStore, task: Task, *, total_weight: int, log: RunLog) -> None:
        self._tasks = tasks
        self._task = task
        self._log = log
        self._total_weight = total_weight
        self._throttle = ProgressThrottle(PROGRESS_INTERVAL, tasks.clock)
        self._checked_at = 0.0
        self._lost = False
        self._stage = ""
        self._before = 0  # weight of the steps before the current one
        self._weight = 0
        self._published: int | None = None  # frames of this attempt, once the first report came

    def enter(self, stage: str, *, weight: int) -> None:
        """Enter the next step; a watcher sees it with the step's first report."""
        self._stage = stage
        self._before += self._weight
        self._weight = weight

    def started(self, *, frames: int = 0) -> None:
        """Report the start of the step, with so many frames swapped; TakenOver if the run lost the task."""
        self._report(done=0, of=1, frames_done=frames, frames=frames)
        if self._lost:
            raise TakenOver(f"task {self._task.id} is no longer held by this run")

    def frames(self, done: int, frames: int, *, skipped: int = 0) -> None:
        """Report that the step has finished `done` of all `frames`; `skipped` of them by earlier attempts."""
        if self._throttle.due(done, frames):
            self._report(done=done, of=frames, frames_done=done, frames=frames)
            before = skipped if self._published is None else self._published
            self._published = max(before, done)
            if done > before:
                self._tasks.publish_frames(self._task, done - before)

    def stopped(self) -> bool:
        """Return whether the run has lost its task; reads the row every `CANCEL_CHECK_INTERVAL`."""
        now = self._tasks.clock()
        if not self._lost and abs(now - self._checked_at) >= CANCEL_CHECK_INTERVAL:
            self._checked_at = now
            try:
                transitions.check_held(self._tasks.repository.get(self._task.id), self._task.run)
            except (TakenOver, NotFound):
                self._lost = True
            except Unavailable as error:
                _log.warning(
                    "cannot check whether the task is still held",
                    extra={"task": self._task.id, "error": error.message},
                )
        return self._lost

    def _report(self, *, done: int, of: int, frames_done: int, frames: int) -> None:
        if self._lost:
            return
        advance = partial(
            transitions.advance,
            run=self._task.run,
            progress=self._percent(done, of),
            stage=self._stage,
            frames_done=frames_done,
            frames=frames,
        )
        try:
            self._tasks.change(self._task.id, advance)
            self._log.flush_if_due()
        except TakenOver:
            self._lost = True
        except (Unavailable, DiskFull) as error:
            _log.warning("progress was not recorded", extra={"task": self._task.id, "error": error.message})

    def _percent(self, done: int, of: int) -> int:
        start = 100 * self._before // self._total_weight
        end = 100 * (self._before + self._weight) // self._total_weight
        return start + (end - start - 1) * done // of


class ProgressThrottle:
    """Passes the first and the last report at once, and others at most once per interval."""

    def __init__(self, interval: float, clock: Callable[[], float]) -> None:
        self._interval = interval  # seconds
        self._clock = clock
        self._done = -1
        self._reported_at = 0.0

    def due(self, done: int, total: int) -> bool:
        """Return whether to report `done` of `total` now; a skipped report is covered by the next one."""
        now = self._clock()
        # A clock that was set back must not suppress reports.
        if done <= self._done or (done < total and 0 <= now - self._reported_at < self._interval):
            return False
        self._done, self._reported_at = done, now
        return True
