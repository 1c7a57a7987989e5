"""Tells a task's row how far a run is, and the run whether it still has the task."""

import logging
from collections.abc import Callable
from functools import partial

from facecli.core.errors import DiskFull, NotFound, TakenOver, Unavailable
from facecli.tasks import transitions
from facecli.tasks.progress_throttle import ProgressThrottle
from facecli.tasks.repository import TaskRepository
from facecli.tasks.task import Task

CANCEL_CHECK_INTERVAL = 0.15  # seconds between two looks at the row, while an engine works
PROGRESS_INTERVAL = 0.1  # seconds between two changes of the row, while an engine works
JOINING = 95  # percent, when every segment is swapped

_log = logging.getLogger(__name__)


class ProgressReporter:
    """Of one run, which has the task until another takes it."""

    def __init__(self, repository: TaskRepository, task: Task, clock: Callable[[], float]) -> None:
        self._repository = repository
        self._task = task
        self._clock = clock
        self._throttle = ProgressThrottle(PROGRESS_INTERVAL, clock)
        self._looked = 0.0
        self._lost = False

    def frames(self, done: int, frames: int) -> None:
        """`done` of the `frames` of the whole video are swapped."""
        if self._throttle.due(done, frames):
            self.stage("swapping", 1 + (JOINING - 2) * done // frames, done, frames)

    def stage(self, stage: str, percent: int, done: int = 0, frames: int = 0) -> None:
        if self._lost:
            return
        change = partial(
            transitions.advance,
            run=self._task.run,
            progress=percent,
            stage=stage,
            frames_done=done,
            frames=frames,
        )
        try:
            self._repository.change(self._task.id, change, now=self._clock())
        except TakenOver:
            self._lost = True
        except (Unavailable, DiskFull) as error:
            _log.warning("progress of task %s was not recorded: %s", self._task.id, error)

    def stopped(self) -> bool:
        now = self._clock()
        if not self._lost and abs(now - self._looked) >= CANCEL_CHECK_INTERVAL:
            self._looked = now
            try:
                transitions.check_held(self._repository.get(self._task.id), self._task.run)
            except (TakenOver, NotFound):
                self._lost = True
            except Unavailable as error:
                _log.warning("task %s could not be looked at: %s", self._task.id, error)
        return self._lost
