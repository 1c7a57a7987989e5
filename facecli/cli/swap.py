"""`facecli swap`: the whole flow in one command."""

from pathlib import Path
from typing import Annotated

import typer

from facecli.cli.progress.bar import Bars
from facecli.cli.progress.bars import progress_bars
from facecli.cli.shared.command import with_session
from facecli.cli.shared.interrupts import Interruption, interruptible
from facecli.cli.shared.objects import task_object
from facecli.cli.shared.options import ChunkSize, Engine, EngineOptions, ProgressKind, RetryFor
from facecli.cli.shared.output import Output
from facecli.cli.shared.session import Session
from facecli.cli.task.create import parse_options
from facecli.core.errors import InvalidInput
from facecli.tasks.view import TaskView

_RESULT_KEPT = (
    "interrupted; the task has ended, and the server keeps its result",
    "run the same command again for the result",
)


@with_session
def swap(
    session: Session,
    output: Output,
    image: Annotated[Path, typer.Argument(metavar="IMAGE", help="Picture of the face.", show_default=False)],
    video: Annotated[Path, typer.Argument(metavar="VIDEO", help="Video to edit.", show_default=False)],
    out: Annotated[
        Path, typer.Option("-o", "--output", metavar="OUT", help="Output file.", show_default=False)
    ],
    engine: Engine = "",
    option: EngineOptions = None,
    chunk_size: ChunkSize = None,
    retry_for: RetryFor = None,
    progress: ProgressKind = None,
) -> None:
    """Put the face from IMAGE onto VIDEO and write the result.

    Uploads both files, creates a task, waits for it, downloads and verifies the result. Run it again after a
    failure: it resumes where it stopped.

    Example: facecli swap face.jpg clip.mp4 -o out.mp4

    Exit codes: 0 success, 2 unusable file, 3 task failed, 4 unauthenticated or forbidden, 6 server
    unreachable, 7 incomplete (run it again), 8 integrity check failed, 124 --timeout expired.
    """
    _check_output(out, image, video)
    with (
        interruptible() as interruption,
        progress_bars(session.settings.progress, quiet=output.quiet) as bars,
    ):
        task = run_swap(
            session,
            bars,
            output,
            interruption,
            image=image,
            video=video,
            out=out,
            engine=engine,
            options=parse_options(option),
        )
        output.show({**task_object(task), "path": str(out)}, text=str(out), short=str(out))


def _check_output(out: Path, *inputs: Path) -> None:
    """Reject an unusable output path before anything is uploaded."""
    if not out.parent.is_dir():
        raise InvalidInput(f"directory {out.parent} does not exist; create it first")
    if out.is_dir():
        raise InvalidInput(f"{out} is a directory; name a file")
    if out.exists() and any(path.exists() and out.samefile(path) for path in inputs):
        raise InvalidInput(
            f"{out} is one of the inputs and would be overwritten; choose another file with -o"
        )


def run_swap(
    session: Session,
    bars: Bars,
    output: Output,
    interruption: Interruption,
    *,
    image: Path,
    video: Path,
    out: Path,
    engine: str = "",
    options: dict[str, str] | None = None,
) -> TaskView:
    """Run the flow with progress bars and write the result to `out`; the completed task."""
    from facecli.client.swap import SwapRequest

    show = bars.task()

    def changed(task: TaskView) -> None:
        if task.ended:
            interruption.message, interruption.hint = _RESULT_KEPT
        else:
            again = "run the same command again for its result"
            interruption.tasks_continue([task.id], flags=session.flags, again=again)
        show(task)

    return session.swaps.swap(
        SwapRequest(
            image=image,
            video=video,
            output=out,
            engine=engine,
            options=options or {},
            chunk_size=session.settings.chunk_size,
            retry_for=session.settings.retry_for,
        ),
        transfer=bars.transfer,
        changed=changed,
    )
