"""The error for a task that did not complete."""

from typing import TYPE_CHECKING

from facecli.core.errors import TaskUnsuccessful
from facecli.tasks.task import TaskStatus

if TYPE_CHECKING:
    from facecli.tasks.view import TaskView


def unsuccessful(task: "TaskView", *, flags: str) -> TaskUnsuccessful:
    """For a failed task, the hint names the command that shows why; `flags` are its connection options."""
    hint = f"facecli task logs {task.id}{flags} shows why" if task.status is TaskStatus.FAILED else ""
    return task.unsuccessful(hint=hint)
