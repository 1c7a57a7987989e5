"""`facecli task download`: download and verify a result."""

from pathlib import Path
from typing import Annotated

import typer

from facecli.cli.progress.bars import progress_bars
from facecli.cli.shared.command import with_session
from facecli.cli.shared.options import ProgressKind, RetryFor
from facecli.cli.shared.output import Output
from facecli.cli.shared.session import Session
from facecli.core.errors import InvalidInput, ResultMissing
from facecli.tasks.view import TaskView


@with_session
def download(
    session: Session,
    output: Output,
    task_id: Annotated[str, typer.Argument(metavar="ID", help="Task ID.", show_default=False)],
    out: Annotated[
        Path | None,
        typer.Option("-o", "--output", metavar="OUT", help="Output file; the result's name if not given."),
    ] = None,
    retry_for: RetryFor = None,
    progress: ProgressKind = None,
) -> None:
    """Download and verify a task's result.

    Data is written to OUT.part, which is renamed to OUT once it is complete and verified. Run the command
    again to resume.

    Example: facecli task download 6f2c… -o out.mp4

    Exit codes: 0 success, 1 no result, 2 OUT cannot be written, 4 unauthenticated or forbidden, 5 task not
    found, 6 server unreachable, 8 integrity check failed.
    """
    with progress_bars(session.settings.progress, quiet=output.quiet) as bars:
        task = session.tasks.get(task_id)
        if not task.result_url:
            raise ResultMissing(f"task {task.id} is {task.status} and has no result")
        target = out or _unused_name(task)
        size = session.files.download(
            task.result_url, target, retry_for=session.settings.retry_for, progress=bars.transfer()
        )
        written = {"task_id": task.id, "path": str(target), "size": size}
        output.show(written, text=str(target), short=str(target))


def _unused_name(task: TaskView) -> Path:
    name = task.result_url.rsplit("/", 1)[-1]
    # The name comes from the server: it must not hide a file, or look like an option to later commands.
    target = Path(name if name and name[0] not in ".-" else f"{task.id}.mp4")
    if target.exists():
        raise InvalidInput(
            f"{target} already exists; choose another file with -o, or pass -o {target} to replace it"
        )
    return target
