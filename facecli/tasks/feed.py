"""TaskFeed: notifies watchers of changes to tasks."""

from collections.abc import Callable
from typing import Protocol

from facecli.tasks.selection import TaskSelection, TaskSnapshot
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

    def watch_selection(
        self, selection: TaskSelection, changed: Callable[[TaskSnapshot], None]
    ) -> Callable[[], None]:
        """Call `changed` with the states of a selection now and after each change, until told to stop.

        States never go back from call to call; several changes may be delivered as one. The first call comes
        in the caller's thread, the others as those of `watch`.
        """
        ...
