"""How one learns what becomes of a task."""

from collections.abc import Callable
from typing import Protocol

from facecli.tasks.task import Task


class TaskFeed(Protocol):
    """Tells who watches."""

    def watch(self, task_id: str, changed: Callable[[Task], None]) -> Callable[[], None]:
        """Call `changed` with the task now and after each change, until it has ended or the result is called.

        Each time with the newest revision, above the one before: several changes may be told as one. One
        call at a time, from a thread that all others wait for: `changed` must not wait for anything.
        TaskNotFound for an unknown task.
        """
        ...
