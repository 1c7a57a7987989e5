"""`facecli task`: create, status, list, watch, cancel, retry, delete, download."""

from collections.abc import Callable

import typer

from facecli.cli.shared.command import with_session
from facecli.cli.shared.exits import each
from facecli.cli.shared.help import add_commands
from facecli.cli.shared.objects import task_line, task_object
from facecli.cli.shared.options import TaskIds
from facecli.cli.shared.output import Output
from facecli.cli.shared.session import Session
from facecli.cli.task import create as task_create
from facecli.cli.task import download as task_download
from facecli.cli.task import list as task_list
from facecli.cli.task import watch as task_watch
from facecli.tasks.view import TaskView

app = typer.Typer(help="Create, follow and end tasks, and fetch their results.", rich_markup_mode=None)


@with_session
def status(opened: Session, output: Output, ids: TaskIds) -> None:
    """Print the state of tasks now.

    Example: facecli task status 6f2c…

    Exit codes: 0 done, whatever the state, 4 not let in, 5 no such task, 6 no server.
    """
    _show(ids, opened.tasks.get, output)


@with_session
def cancel(opened: Session, output: Output, ids: TaskIds) -> None:
    """End tasks that have not ended.

    Example: facecli task cancel 6f2c…

    Exit codes: 0 cancelled, 1 it had ended otherwise, 4 not let in, 5 no such task, 6 no server.
    """
    _show(ids, opened.tasks.cancel, output)


@with_session
def retry(opened: Session, output: Output, ids: TaskIds) -> None:
    """Run failed or cancelled tasks again.

    Example: facecli task retry 6f2c… && facecli task watch 6f2c…

    Exit codes: 0 they will run, 1 it neither failed nor was cancelled, 4 not let in, 5 no such task, 6 no
    server.
    """
    _show(ids, opened.tasks.retry, output)


@with_session
def delete(opened: Session, output: Output, ids: TaskIds) -> None:
    """Forget ended tasks, and delete their results on the server.

    One that has not ended is refused; `facecli task cancel` ends it. The uploads it was made from stay.

    Example: facecli task delete 6f2c…

    Exit codes: 0 deleted, 1 it has not ended, 4 not let in, 5 no such task, 6 no server.
    """

    def deleted(task_id: str) -> None:
        opened.tasks.delete(task_id)
        output.show({"task_id": task_id, "deleted": True}, text=f"{task_id}  deleted", short=task_id)

    each(ids, deleted, as_json=output.as_json)


def _show(ids: list[str], told: Callable[[str], TaskView], output: Output) -> None:
    """What is told of each task."""

    def show(task_id: str) -> None:
        task = told(task_id)
        output.show(task_object(task), text=task_line(task), short=task.id)

    each(ids, show, as_json=output.as_json)


add_commands(
    app,
    {
        "create": task_create.create,
        "status": status,
        "list": task_list.list_tasks,
        "watch": task_watch.watch,
        "cancel": cancel,
        "retry": retry,
        "delete": delete,
        "download": task_download.download,
    },
)
