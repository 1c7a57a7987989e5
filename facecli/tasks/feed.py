"""TaskFeed: notifies watchers of changes to tasks."""

from collections.abc import Callable
from typing import Protocol

from facecli.tasks.task import Task


class TaskFeed(Protocol):
    """Delivers changes of tasks to watchers."""

    def watch(self, task_id: str, changed: Callable[[Task], None]) -> Callable[[], None]:
        """Call `changed` with the task now and after each change, until it ends or the result is called.

        Revisions increase from call to call; several changes may be delivered as one. Calls come one at a
        time, from a thread that all watchers share: `changed` must not block. TaskNotFound for an unknown
        task.
        """
        ...
