"""TaskLogRepository: the stored log records of tasks."""

from collections.abc import Sequence
from typing import Protocol

from facecli.tasks.logs.record import LogEntry, TaskLog


class TaskLogRepository(Protocol):
    """Stores at most `MAX_RECORDS` records per task, the newest. They are deleted with their task."""

    def append(self, task_id: str, entries: Sequence[LogEntry], *, run: str | None, dropped: int) -> None:
        """Store entries, oldest first, after `dropped` ones that were lost; drop the oldest beyond the limit.

        TakenOver unless this run holds the task; with None, unless the task exists.
        """
        ...

    def read(self, task_id: str) -> TaskLog:
        """The log of a task; an empty one for an unknown task."""
        ...
