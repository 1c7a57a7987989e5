"""`facecli task list`: which tasks there are."""

import math
from typing import Annotated

import typer

from facecli.cli.shared.command import with_session
from facecli.cli.shared.objects import task_line, task_object
from facecli.cli.shared.output import Output
from facecli.cli.shared.session import Session
from facecli.cli.shared.timestamps import parse_timestamp
from facecli.tasks.task import TaskStatus
from facecli.tasks.task_filter import TaskFilter


@with_session
def list_tasks(
    opened: Session,
    output: Output,
    wanted: Annotated[
        TaskStatus | None, typer.Option("--status", help="Only tasks in this state.", show_default=False)
    ] = None,
    engine: Annotated[
        str, typer.Option("--engine", metavar="NAME", help="Only tasks of this engine.", show_default=False)
    ] = "",
    since: Annotated[
        float | None,
        typer.Option(
            "--since",
            metavar="TIME",
            parser=parse_timestamp,
            help="Only tasks created then or later: 2h ago, or 2026-11-24T18:30.",
            show_default=False,
        ),
    ] = None,
    until: Annotated[
        float | None,
        typer.Option(
            "--until",
            metavar="TIME",
            parser=parse_timestamp,
            help="Only tasks created before.",
            show_default=False,
        ),
    ] = None,
    limit: Annotated[
        int, typer.Option("--limit", metavar="N", help="At most so many, the newest first.", min=1)
    ] = 100,
) -> None:
    """List the user's tasks, the newest first.

    Example: facecli task list --status failed --since 2h -q

    Exit codes: 0 done, also with none, 2 no such status or time, 4 not let in, 6 no server.
    """
    listing = TaskFilter(
        status=wanted or "", engine=engine, since=since or 0.0, until=math.inf if until is None else until
    )
    for task in opened.tasks.listed(listing, limit=limit):
        output.show(task_object(task), text=task_line(task), short=task.id)
