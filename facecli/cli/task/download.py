"""`facecli task download`: download and verify a result, or its contact sheet."""

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
from facecli.client.destination import destination, local_name
from facecli.core.errors import ResultMissing
from facecli.library.session import Session
from facecli.tasks.view import TaskView

_NO_SHEET = "results of earlier versions have none; facecli swap --fresh makes the result again"


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
    sheet: Annotated[
        bool, typer.Option("--sheet", help="Download the contact sheet: some frames before and after.")
    ] = False,
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
    if sheet and not task.preview_url:
        raise ResultMissing(f"task {task.id} has no contact sheet", hint=_NO_SHEET)
    url, extension = (task.preview_url, "jpg") if sheet else (task.result_url, "mp4")
    promise = session.files.describe(url) if sheet else None
    size, crc32c = (promise.size, promise.crc32c) if promise else (task.result_size, task.result_crc32c)
    name = _output_name(url, task, extension)
    target = destination("." if out is None else out, name=name, overwrite=force)
    check_options(target, output, force=force, skip_existing=skip_existing)
    if skip_existing and target.exists:
        output.note(f"{target.shown} exists; skipped")
    elif target.holds(size=size, crc32c=crc32c) and not force:
        output.note(f"{target.shown} is the {'contact sheet' if sheet else 'result'} already")
    elif target.exists and not force:
        raise already_exists(target)
    else:
        with (
            interruptible("interrupted; what was downloaded is kept", "run the same command again to resume"),
            progress_bars(session.settings.progress, quiet=output.quiet) as bars,
        ):
            session.files.download_to(
                url, target, retry_for=session.settings.retry_for, progress=bars.transfer()
            )
    show_path(output, target, {"task_id": task.id, "size": size})


def _output_name(url: str, task: TaskView, extension: str) -> str:
    name = local_name(unquote(url.rsplit("/", 1)[-1]), otherwise="")
    return name if name.endswith(f".{extension}") and not name.startswith(".") else f"{task.id}.{extension}"
