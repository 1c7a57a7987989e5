"""`facecli task url`: print a link to a result that anybody can open."""

from functools import partial
from typing import Annotated

import typer

from facecli.cli.shared.command import with_session
from facecli.cli.shared.objects import timestamp
from facecli.cli.shared.options import TaskId, time
from facecli.cli.shared.output import Output
from facecli.core.errors import ResultMissing
from facecli.library.session import Session

DEFAULT_EXPIRY = 3600.0  # seconds


@partial(with_session, quiet_help="Print only the URL.")
def url(
    session: Session,
    output: Output,
    task_id: TaskId,
    expires: Annotated[
        float | None,
        typer.Option(
            "--expires",
            metavar="TIME",
            parser=time,
            help="Lifetime of the link.  [default: 1h]",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Print a link to a task's result.

    Anybody who has the link can open or play the result until the link expires, at most 7 days later, or
    until the task is deleted or the token that made the link is revoked. Needs a server with --http.

    Example: facecli task url 6f2c… --expires 1h

    Exit codes: 0 success, 1 no result, or a server without --http, 2 invalid lifetime, 4 unauthenticated or
    forbidden, 5 task not found, 6 server unreachable.
    """
    task = session.tasks.find(task_id)
    if not task.result_url:
        raise ResultMissing(f"task {task.id} is {task.status} and has no result")
    lifetime = DEFAULT_EXPIRY if expires is None else expires
    link, expires_at = session.files.link(task.result_url, expires_in=lifetime)
    value = {"task_id": task.id, "url": link, "expires_at": timestamp(expires_at)}
    output.show(value, text=link, short=link)
    output.note(f"expires at {timestamp(expires_at)}")
