"""`facecli swap`: the whole flow in one command."""

from pathlib import Path
from typing import Annotated

import typer

from facecli.cli.progress.bars import Bars, bars
from facecli.cli.shared.command import with_session
from facecli.cli.shared.objects import task_object
from facecli.cli.shared.options import ChunkSize, Engine, EngineOptions, Limit, ProgressKind, RetryFor
from facecli.cli.shared.output import Output
from facecli.cli.shared.session import Session
from facecli.cli.task.create import parsed_options
from facecli.core.errors import InvalidInput
from facecli.tasks.view import TaskView


@with_session
def swap(
    opened: Session,
    output: Output,
    image: Annotated[Path, typer.Argument(metavar="IMAGE", help="The face.", show_default=False)],
    video: Annotated[Path, typer.Argument(metavar="VIDEO", help="The video.", show_default=False)],
    out: Annotated[
        Path, typer.Option("-o", "--output", metavar="OUT", help="File to write.", show_default=False)
    ],
    engine: Engine = "",
    option: EngineOptions = None,
    chunk_size: ChunkSize = None,
    retry_for: RetryFor = None,
    timeout: Limit = None,
    progress: ProgressKind = None,
) -> None:
    """Put the face of IMAGE on VIDEO and write the result.

    Uploads both, creates a task, follows it, downloads and checks the result. Run it again after any failure:
    it goes on where it stopped.

    Example: facecli swap face.jpg clip.mp4 -o out.mp4

    Exit codes: 0 done, 2 a file that cannot be used, 3 the task failed, 4 not let in, 6 no server, 7
    incomplete, run again, 8 bytes differ, 124 --timeout passed.
    """
    _check_output(out, image, video)
    with bars(opened.settings.progress, quiet=output.quiet) as drawn:
        task = swapped(
            opened,
            drawn,
            output,
            image=image,
            video=video,
            out=out,
            engine=engine,
            options=parsed_options(option),
            timeout=timeout,
        )
        output.show({**task_object(task), "path": str(out)}, text=str(out), short=str(out))


def _check_output(out: Path, *inputs: Path) -> None:
    """Before anything is sent, not when the result comes."""
    if not out.parent.is_dir():
        raise InvalidInput(f"there is no directory {out.parent} for {out.name}; make it first")
    if out.is_dir():
        raise InvalidInput(f"{out} is a directory; name a file in it")
    if out.exists() and any(path.exists() and out.samefile(path) for path in inputs):
        raise InvalidInput(f"{out} would be written over; name another file with -o")


def swapped(
    opened: Session,
    drawn: Bars,
    output: Output,
    *,
    image: Path,
    video: Path,
    out: Path,
    engine: str = "",
    options: dict[str, str] | None = None,
    timeout: float | None = None,
) -> TaskView:
    """Run the flow with bars; the completed task, its result at `out`."""
    from facecli.client.swap import SwapRequest

    return opened.swaps.swap(
        SwapRequest(
            image=image,
            video=video,
            output=out,
            engine=engine,
            options=options or {},
            chunk_size=opened.settings.chunk_size,
            retry_for=opened.settings.retry_for,
            timeout=timeout,
        ),
        transfer=drawn.transfer,
        changed=drawn.task(),
        waiting=output.waiting,
    )
