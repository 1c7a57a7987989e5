"""`facecli task download`: a result, checked."""

from pathlib import Path
from typing import Annotated

import typer

from facecli.cli.progress.bars import bars
from facecli.cli.shared.command import with_session
from facecli.cli.shared.options import ProgressKind, RetryFor
from facecli.cli.shared.output import Output
from facecli.cli.shared.session import Session
from facecli.core.errors import InvalidInput, ResultMissing
from facecli.tasks.view import TaskView


@with_session
def download(
    opened: Session,
    output: Output,
    task_id: Annotated[str, typer.Argument(metavar="ID", help="Task id.", show_default=False)],
    out: Annotated[
        Path | None,
        typer.Option("-o", "--output", metavar="OUT", help="File to write; the result's name if not given."),
    ] = None,
    retry_for: RetryFor = None,
    progress: ProgressKind = None,
) -> None:
    """Download a task's result, checked.

    Bytes collect in OUT.part and become OUT when all of them are there and right; run it again after a break.

    Example: facecli task download 6f2c… -o out.mp4

    Exit codes: 0 done, 1 no result, 2 OUT cannot be written, 4 not let in, 5 no such task, 6 no server, 8
    bytes differ.
    """
    with bars(opened.settings.progress, quiet=output.quiet) as drawn:
        task = opened.tasks.get(task_id)
        if not task.result_url:
            raise ResultMissing(f"task {task.id} is {task.status} and has no result")
        target = out or _free_name(task)
        size = opened.files.download(
            task.result_url, target, retry_for=opened.settings.retry_for, progress=drawn.transfer()
        )
        written = {"task_id": task.id, "path": str(target), "size": size}
        output.show(written, text=str(target), short=str(target))


def _free_name(task: TaskView) -> Path:
    target = Path(task.result_url.rsplit("/", 1)[-1])
    if target.exists():
        raise InvalidInput(f"{target} exists; name another with -o, or the same to replace it")
    return target
