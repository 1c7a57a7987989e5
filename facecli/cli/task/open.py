"""`facecli open`: look at a result in the desktop's player."""

from functools import partial

from facecli.cli.progress.bars import progress_bars
from facecli.cli.shared.command import with_session
from facecli.cli.shared.interrupts import interruptible
from facecli.cli.shared.options import ProgressKind, RetryFor, TaskId
from facecli.cli.shared.output import Output
from facecli.cli.shared.output_file import temporary_results
from facecli.cli.task.player import open_in_player
from facecli.client.destination import destination
from facecli.core.errors import ResultMissing
from facecli.library.session import Session


@partial(with_session, quiet_help="Print only the path.", run_server=True)
def open_result(
    session: Session,
    output: Output,
    task_id: TaskId,
    retry_for: RetryFor = None,
    progress: ProgressKind = None,
) -> None:
    """Open a task's result in a player.

    Downloads and verifies the result into a directory for temporary files, unless it is there already, and
    prints its path. Runs a server as `facecli swap` does.

    Example: facecli open 6f2c…

    Exit codes: 0 success, 1 no result or no player, 4 unauthenticated or forbidden, 5 task not found, 6
    server unreachable, 8 integrity check failed.
    """
    task = session.tasks.find(task_id)
    if not task.result_url:
        raise ResultMissing(f"task {task.id} is {task.status} and has no result")
    folder = temporary_results("open", otherwise="use facecli task download")
    target = destination(str(folder / f"{task.id}.mp4"), name="")
    if not target.holds(size=task.result_size, crc32c=task.result_crc32c):
        with interruptible(), progress_bars(session.settings.progress, quiet=output.quiet) as bars:
            session.files.download_to(
                task.result_url, target, retry_for=session.settings.retry_for, progress=bars.transfer()
            )
    output.show({"task_id": task.id, "path": target.shown}, text=target.shown, short=target.shown)
    open_in_player(target.path)
