"""Tasks as a client sees them."""

from facecli.tasks.task import TaskStatus
from facecli.tasks.view import TaskView
from facecli.wire import tasks
from tests.support.builders import task_in


def task_view_in(status: TaskStatus) -> TaskView:
    return tasks.from_message(tasks.to_message(task_in(status)))
