"""`facecli task list`: list tasks."""

import math
from functools import partial
from typing import Annotated

import typer

from facecli.cli.shared.command import with_session
from facecli.cli.shared.completion import complete_engines
from facecli.cli.shared.listing import All, Limit, limited, show_header
from facecli.cli.shared.objects import task_object
from facecli.cli.shared.output import Output
from facecli.cli.shared.timestamps import TimestampOption
from facecli.cli.task.rows import HEADER, task_row
from facecli.library.session import Session
from facecli.tasks.task import TaskFilter, TaskStatus


@partial(with_session, quiet_help="Print only IDs.")
def list_tasks(
    session: Session,
    output: Output,
    status: Annotated[
        TaskStatus | None, typer.Option("--status", help="Only tasks in this state.", show_default=False)
    ] = None,
    engine: Annotated[
        str,
        typer.Option(
            "--engine",
            metavar="NAME",
            help="Only tasks for this engine.",
            show_default=False,
            autocompletion=complete_engines,
        ),
    ] = "",
    since: Annotated[
        float | None,
        TimestampOption(
            "--since", "Only tasks created since: an age such as 2h, or a date such as 2026-11-24T18:30."
        ),
    ] = None,
    until: Annotated[
        float | None,
        TimestampOption("--until", "Only tasks created before this time."),
    ] = None,
    limit: Limit = None,
    everything: All = False,
) -> None:
    """List your tasks, newest first.

    One line per task: ID, state, creation, engine and its version, inputs, key, and the result or the error.

    Example: facecli task list --status failed --since 2h -q

    Exit codes: 0 success, 2 invalid status or time, 4 unauthenticated or forbidden, 6 server unreachable.
    """
    listing = TaskFilter(
        status=status or "", engine=engine, since=since or 0.0, until=math.inf if until is None else until
    )
    tasks = session.tasks.listed(listing, limit=limit)
    show_header(output, HEADER)
    for task in limited(tasks, output, limit=limit, everything=everything, noun="tasks"):
        output.show(task_object(task), text=task_row(task), short=task.id)
