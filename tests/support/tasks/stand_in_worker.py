"""A stand-in for the workers of a server without any: ends a given number of tasks, at once."""

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

from facecli.core.errors import MediaRefused
from facecli.metadata.database import open_database
from facecli.metadata.tasks import SqlTaskRepository
from facecli.metadata.uploads import SqlUploadRepository
from facecli.tasks import transitions
from facecli.tasks.task import Result, Task, TaskStatus
from tests.support.eventually import eventually

RUN = "stand-in-run"


class StandInWorker:
    """Writes into the database below `data`. The result of a task is its video, unchanged."""

    def __init__(self, data: Path) -> None:
        self._engine = open_database(f"sqlite:///{data}/facecli.db")
        self._tasks = SqlTaskRepository(self._engine)
        self._uploads = SqlUploadRepository(self._engine)

    def complete(self, count: int) -> None:
        """Complete so many tasks, as they are created."""
        for _ in range(count):
            task = self._pending()
            video = self._uploads.get(task.video_id)
            assert video.size is not None and video.crc32c is not None
            result = Result(blob_key=video.blob_key, size=video.size, crc32c=video.crc32c)
            self._end(task, partial(transitions.complete, run=RUN, result=result, engine_version="1"))

    def wait_for_pending(self, count: int) -> None:
        eventually(lambda: len(self._tasks.with_status(TaskStatus.PENDING)) >= count)

    def fail(self, count: int) -> None:
        for _ in range(count):
            self._end(self._pending(), partial(transitions.fail, run=RUN, error=MediaRefused("no frames")))

    def tasks(self) -> list[Task]:
        """Every task, in any state."""
        return [task for status in TaskStatus for task in self._tasks.with_status(status)]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._engine.dispose()

    def _pending(self) -> Task:
        """A pending task, once there is one."""
        eventually(lambda: self._tasks.with_status(TaskStatus.PENDING))
        return self._tasks.with_status(TaskStatus.PENDING)[0]

    def _end(self, task: Task, end: Callable[[Task], Task]) -> None:
        """Claim and end a task at once: in between, a server would miss the heartbeat of this worker."""

        def change(task: Task) -> Task:
            return end(transitions.claim(task, run=RUN, worker="stand-in"))

        self._tasks.change(task.id, change, now=time.time())
