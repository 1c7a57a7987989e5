"""`facecli task download`: download and verify a result."""

from functools import partial
from typing import Annotated
from urllib.parse import unquote

import typer

from facecli.cli.progress.bars import progress_bars
from facecli.cli.shared.command import with_session
from facecli.cli.shared.completion import complete_tasks
from facecli.cli.shared.interrupts import interruptible
from facecli.cli.shared.options import ProgressKind, RetryFor
from facecli.cli.shared.output import Output
from facecli.cli.shared.output_file import (
    Force,
    Out,
    SkipExisting,
    already_exists,
    check_options,
    show_path,
)
from facecli.cli.shared.session import Session
from facecli.client.destination import destination, local_name
from facecli.core.errors import ResultMissing
from facecli.tasks.view import TaskView


@partial(with_session, quiet_help="Print only the path.")
def download(
    session: Session,
    output: Output,
    task_id: Annotated[
        str,
        typer.Argument(
            metavar="ID", help="Task ID or key.", show_default=False, autocompletion=complete_tasks
        ),
    ],
    out: Out = None,
    force: Force = False,
    skip_existing: SkipExisting = False,
    retry_for: RetryFor = None,
    progress: ProgressKind = None,
) -> None:
    """Download and verify a task's result.

    Data is written to OUT.part, which is renamed to OUT once it is complete and verified. Run the command
    again to resume. A file that is the result already is left as it is; another one is replaced only with
    --force.

    Example: facecli task download 6f2c… -o out.mp4

    Exit codes: 0 success, 1 no result, 2 OUT cannot be written, 4 unauthenticated or forbidden, 5 task not
    found, 6 server unreachable, 8 integrity check failed.
    """
    task = session.tasks.find(task_id)
    if not task.result_url:
        raise ResultMissing(f"task {task.id} is {task.status} and has no result")
    target = destination("." if out is None else out, name=_result_name(task))
    check_options(target, output, force=force, skip_existing=skip_existing)
    if skip_existing and target.exists:
        output.note(f"{target.shown} exists; skipped")
    elif target.holds(size=task.result_size, crc32c=task.result_crc32c) and not force:
        output.note(f"{target.shown} is the result already")
    elif target.exists and not force:
        raise already_exists(target)
    else:
        with (
            interruptible("interrupted; what was downloaded is kept", "run the same command again to resume"),
            progress_bars(session.settings.progress, quiet=output.quiet) as bars,
        ):
            session.files.download_to(
                task.result_url, target, retry_for=session.settings.retry_for, progress=bars.transfer()
            )
    show_path(output, target, {"task_id": task.id, "size": task.result_size})


def _result_name(task: TaskView) -> str:
    name = local_name(unquote(task.result_url.rsplit("/", 1)[-1]), otherwise="")
    return name if name.endswith(".mp4") and not name.startswith(".") else f"{task.id}.mp4"
