"""`facecli task`: create, status, logs, list, watch, cancel, retry, delete, download, url, provenance."""

from collections.abc import Callable
from functools import partial

import typer

from facecli.cli.label import provenance as task_provenance
from facecli.cli.shared.command import with_session
from facecli.cli.shared.exits import each
from facecli.cli.shared.help import add_commands
from facecli.cli.shared.listing import given
from facecli.cli.shared.objects import task_object, task_text, with_notes
from facecli.cli.shared.options import OptionalTaskIds, TaskIds
from facecli.cli.shared.output import Output
from facecli.cli.task import create as task_create
from facecli.cli.task import download as task_download
from facecli.cli.task import list as task_list
from facecli.cli.task import logs as task_logs
from facecli.cli.task import url as task_url
from facecli.cli.task import watch as task_watch
from facecli.cli.task.rows import task_row
from facecli.library.session import Session
from facecli.tasks.view import TaskView

app = typer.Typer(rich_markup_mode=None)


@partial(with_session, quiet_help="Print only IDs.")
def status(session: Session, output: Output, ids: TaskIds) -> None:
    """Print the current state of tasks.

    Example: facecli task status 6f2c…

    Exit codes: 0 success, even for a failed task, 4 unauthenticated or forbidden, 5 task not found, 6 server
    unreachable.
    """

    def show(task_id: str) -> None:
        task = session.tasks.status(task_id)
        output.show(task_object(task), text=with_notes(task_row(task), task), short=task.id)

    each(given(ids), show, as_json=output.as_json)


@partial(with_session, quiet_help="Print only IDs.")
def cancel(session: Session, output: Output, ids: TaskIds) -> None:
    """Cancel tasks.

    Example: facecli task cancel 6f2c…

    Exit codes: 0 cancelled, 1 already completed or failed, 4 unauthenticated or forbidden, 5 task not
    found, 6 server unreachable.
    """
    _show(session, ids, session.tasks.cancel, output)


@partial(with_session, quiet_help="Print only IDs.")
def retry(session: Session, output: Output, ids: TaskIds) -> None:
    """Retry failed or cancelled tasks.

    Example: facecli task retry 6f2c… && facecli task watch 6f2c…

    Exit codes: 0 queued again, 1 neither failed nor cancelled, 4 unauthenticated or forbidden, 5 task not
    found, 6 server unreachable.
    """
    _show(session, ids, session.tasks.retry, output)


@partial(with_session, quiet_help="Print only IDs.")
def delete(session: Session, output: Output, ids: OptionalTaskIds = None) -> None:
    """Delete ended tasks and their results on the server.

    A task that has not ended cannot be deleted; run `facecli task cancel` first. Its uploads are not deleted.

    Deleting none is a success.

    Example: facecli task delete $(facecli task list --status failed --all -q)

    Exit codes: 0 deleted, 1 not ended yet, 4 unauthenticated or forbidden, 5 task not found, 6 server
    unreachable.
    """

    def delete_one(task_id: str) -> None:
        task_id = session.tasks.find(task_id).id
        session.tasks.delete(task_id)
        output.show({"task_id": task_id, "deleted": True}, text=f"{task_id}  deleted", short=task_id)

    each(given(ids), delete_one, as_json=output.as_json)


def _show(session: Session, ids: list[str], request: Callable[[str], TaskView], output: Output) -> None:
    """Send a request for each task and print the task that it returns."""

    def show(task_id: str) -> None:
        task = request(session.tasks.find(task_id).id)
        output.show(task_object(task), text=task_text(task), short=task.id)

    each(given(ids), show, as_json=output.as_json)


add_commands(
    app,
    {
        "create": task_create.create,
        "status": status,
        "logs": task_logs.logs,
        "list": task_list.list_tasks,
        "watch": task_watch.watch,
        "cancel": cancel,
        "retry": retry,
        "delete": delete,
        "download": task_download.download,
        "url": task_url.url,
        "provenance": task_provenance.provenance,
    },
)
