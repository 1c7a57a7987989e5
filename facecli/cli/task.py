"""`facecli task`: create, status, list, watch, cancel, retry, delete, download."""

import typer

from facecli.cli import task_create, task_download, task_list, task_watch
from facecli.cli.exits import each
from facecli.cli.help import add_commands
from facecli.cli.objects import task_line, task_object
from facecli.cli.options import (
    Json,
    Profile,
    Quiet,
    Server,
    TaskIds,
    Timeout,
    Tls,
    TlsCa,
    TlsCert,
    TlsKey,
    User,
)
from facecli.cli.output import Output
from facecli.cli.session import session
from facecli.core.tasks import Task

app = typer.Typer(help="Create, follow and end tasks, and fetch their results.", rich_markup_mode=None)


def status(
    ids: TaskIds,
    server: Server = None,
    user: User = None,
    tls: Tls = None,
    tls_ca: TlsCa = None,
    tls_cert: TlsCert = None,
    tls_key: TlsKey = None,
    profile: Profile = None,
    timeout: Timeout = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Print the state of tasks now.

    Example: facecli task status 6f2c…

    Exit codes: 0 done, whatever the state, 4 not let in, 5 no such task, 6 no server.
    """
    output = Output(as_json=as_json, quiet=quiet)
    with session(
        profile=profile,
        server=server,
        user=user,
        timeout=timeout,
        tls=tls,
        tls_ca=tls_ca,
        tls_cert=tls_cert,
        tls_key=tls_key,
    ) as opened:
        each(ids, lambda task_id: _show(output, opened.tasks.get(task_id)), as_json=as_json)


def cancel(
    ids: TaskIds,
    server: Server = None,
    user: User = None,
    tls: Tls = None,
    tls_ca: TlsCa = None,
    tls_cert: TlsCert = None,
    tls_key: TlsKey = None,
    profile: Profile = None,
    timeout: Timeout = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """End tasks that have not ended.

    Example: facecli task cancel 6f2c…

    Exit codes: 0 cancelled, 1 it had ended otherwise, 4 not let in, 5 no such task, 6 no server.
    """
    output = Output(as_json=as_json, quiet=quiet)
    with session(
        profile=profile,
        server=server,
        user=user,
        timeout=timeout,
        tls=tls,
        tls_ca=tls_ca,
        tls_cert=tls_cert,
        tls_key=tls_key,
    ) as opened:
        each(ids, lambda task_id: _show(output, opened.tasks.cancel(task_id)), as_json=as_json)


def retry(
    ids: TaskIds,
    server: Server = None,
    user: User = None,
    tls: Tls = None,
    tls_ca: TlsCa = None,
    tls_cert: TlsCert = None,
    tls_key: TlsKey = None,
    profile: Profile = None,
    timeout: Timeout = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Run failed or cancelled tasks again.

    Example: facecli task retry 6f2c… && facecli task watch 6f2c…

    Exit codes: 0 they will run, 1 it neither failed nor was cancelled, 4 not let in, 5 no such task, 6 no
    server.
    """
    output = Output(as_json=as_json, quiet=quiet)
    with session(
        profile=profile,
        server=server,
        user=user,
        timeout=timeout,
        tls=tls,
        tls_ca=tls_ca,
        tls_cert=tls_cert,
        tls_key=tls_key,
    ) as opened:
        each(ids, lambda task_id: _show(output, opened.tasks.retry(task_id)), as_json=as_json)


def delete(
    ids: TaskIds,
    server: Server = None,
    user: User = None,
    tls: Tls = None,
    tls_ca: TlsCa = None,
    tls_cert: TlsCert = None,
    tls_key: TlsKey = None,
    profile: Profile = None,
    timeout: Timeout = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Forget ended tasks, and delete their results on the server.

    One that has not ended is refused; `facecli task cancel` ends it. The uploads it was made from stay.

    Example: facecli task delete 6f2c…

    Exit codes: 0 deleted, 1 it has not ended, 4 not let in, 5 no such task, 6 no server.
    """
    output = Output(as_json=as_json, quiet=quiet)
    with session(
        profile=profile,
        server=server,
        user=user,
        timeout=timeout,
        tls=tls,
        tls_ca=tls_ca,
        tls_cert=tls_cert,
        tls_key=tls_key,
    ) as opened:

        def deleted(task_id: str) -> None:
            opened.tasks.delete(task_id)
            output.show({"task_id": task_id, "deleted": True}, text=f"{task_id}  deleted", short=task_id)

        each(ids, deleted, as_json=as_json)


def _show(output: Output, task: Task) -> None:
    output.show(task_object(task), text=task_line(task), short=task.id)


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
