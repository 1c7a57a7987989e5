"""`facecli swap`: the whole flow in one command."""

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from facecli.cli.batch.options import BatchChoices, ManyFiles, Overwrite, job_defaults
from facecli.cli.progress.bar import Bars
from facecli.cli.progress.bars import progress_bars
from facecli.cli.shared.command import with_session
from facecli.cli.shared.inputs import From, To
from facecli.cli.shared.interrupts import Interruption, interruptible
from facecli.cli.shared.objects import task_object
from facecli.cli.shared.options import ChunkSize, Fresh, ProgressKind, RetryFor
from facecli.cli.shared.outcome import unsuccessful
from facecli.cli.shared.output import Output
from facecli.cli.shared.output_file import (
    RequiredOut,
    SkipExisting,
    already_exists,
    check_options,
    show_path,
)
from facecli.cli.shared.timestamps import age
from facecli.cli.task.options import EngineChoice, TaskTerms
from facecli.cli.task.watch import note_all
from facecli.client.destination import Destination, destination
from facecli.client.input_file import check_inputs
from facecli.core.errors import InvalidInput, TaskUnsuccessful
from facecli.core.video.plan import video_part
from facecli.library.session import Session
from facecli.tasks.view import TaskView

if TYPE_CHECKING:
    from facecli.client.swap import SwapRequest

_RESULT_KEPT = (
    "interrupted; the task has ended, and the server keeps its result",
    "run the same command again for the result",
)


@partial(with_session, quiet_help="Print only the path.", run_server=True)
def swap(
    session: Session,
    output: Output,
    out: RequiredOut,
    image: Annotated[
        Path | None, typer.Argument(metavar="IMAGE", help="Picture of the face.", show_default=False)
    ] = None,
    video: Annotated[
        Path | None, typer.Argument(metavar="VIDEO", help="Video to edit.", show_default=False)
    ] = None,
    files: ManyFiles = ManyFiles(),
    engine_choice: EngineChoice = EngineChoice(),
    begin: From = None,
    end: To = None,
    chunk_size: ChunkSize = None,
    retry_for: RetryFor = None,
    force: Overwrite = False,
    skip_existing: SkipExisting = False,
    fresh: Fresh = False,
    choices: BatchChoices = BatchChoices(),
    task_terms: TaskTerms = TaskTerms(),
    progress: ProgressKind = None,
) -> None:
    """Put the face from IMAGE onto VIDEO and write the result.

    Uploads both files, creates a task, waits for it, downloads and verifies the result. Run it again after a
    failure: it resumes where it stopped. After success, running it again verifies that OUT is the result of
    the same files, part, engine, version and options. Any other existing file is replaced only with --force.

    Without a server at the default address and without --server, one runs until the command ends, with its
    data in your home directory; so does one with --server local.

    --from and --to take a part of the video: the result has the frames that begin in it, with their sound.

    The result says that it is AI-made, in its metadata and on its first frames; facecli label show FILE.

    With --face and --video in place of IMAGE and VIDEO, every face goes on every video, as jobs of `facecli
    batch run`, whose help describes templates such as the one below. Jobs whose result exists are skipped.

    Example: facecli swap face.jpg clip.mp4 --from 3s --to 1m2s -o out.mp4

    Example: facecli swap --face faces/*.jpg --video clips/ -o 'out/{video.stem}-{face.stem}.mp4'

    Exit codes: 0 success, 2 unusable file, 3 task failed, or some of several jobs, 4 unauthenticated or
    forbidden, 6 server unreachable, 7 incomplete (run it again), 8 integrity check failed, 10 terms
    refused by the server's policy, 124 --timeout expired.
    """
    part = video_part(begin, end)
    if files.faces or files.videos:
        if force and skip_existing:
            raise InvalidInput("--overwrite and --skip-existing exclude each other; pass one of them")
        if image or video or fresh:
            raise InvalidInput("--face and --video replace IMAGE and VIDEO, and exclude --fresh")
        from facecli.cli.batch.many import swap_many

        defaults = job_defaults(engine_choice, task_terms, output=out, part=part)
        swap_many(session, output, files, choices, defaults, overwrite=force)
        return
    engine, options = engine_choice.resolved()
    terms = task_terms.stated()
    if image is None or video is None:
        raise InvalidInput("name a picture and a video, or several with --face and --video")
    if files.recursive or choices.retry_failed or choices.fail_fast or choices.dry_run:
        raise InvalidInput(
            "--recursive, --retry-failed, --fail-fast and --dry-run are for jobs of --face and --video"
        )
    target = destination(out, name=f"{video.stem}.mp4", inputs=(image, video), overwrite=force)
    check_options(target, output, force=force, skip_existing=skip_existing)
    if skip_existing and target.exists:
        output.note(f"{target.shown} exists; skipped")
        show_path(output, target, {"skipped": True})
        return
    check_inputs(image, video)
    request = swap_request(session, image=image, video=video, target=target, engine=engine, options=options)
    request = replace(
        request,
        part=part,
        fresh=fresh,
        notify=task_terms.webhook,
        terms=terms,
        priority=task_terms.chosen_priority(),
    )
    if target.exists and not force:
        task = None if fresh else session.swaps.finished(request)
        if task is None:
            raise already_exists(target)
        output.note(f"{target.shown} is the result already, {made(task)}")
    else:
        with (
            interruptible() as interruption,
            progress_bars(session.settings.progress, quiet=output.quiet) as bars,
        ):
            task = run_swap(session, bars, output, request, interruption)
    note_all(task, output)
    show_path(output, target, task_object(task))


def swap_request(
    session: Session,
    *,
    image: Path,
    video: Path,
    target: Destination,
    engine: str = "",
    options: dict[str, str] | None = None,
) -> "SwapRequest":
    """A request with the transfer settings of the session."""
    from facecli.client.swap import SwapRequest

    return SwapRequest(
        image=image,
        video=video,
        output=target,
        engine=engine,
        options=options or {},
        chunk_size=session.settings.chunk_size,
        retry_for=session.settings.retry_for,
    )


def run_swap(
    session: Session, bars: Bars, output: Output, request: "SwapRequest", interruption: Interruption
) -> TaskView:
    """Run the flow with progress bars and write the result; the completed task."""
    show = bars.task()
    last: TaskView | None = None

    def changed(task: TaskView) -> None:
        nonlocal last
        if last is None and not task.ended:
            note_all(task, output)
        last = task
        if task.ended:
            interruption.message, interruption.hint = _RESULT_KEPT
        elif not session.own_server:
            again = "run the same command again for its result"
            interruption.tasks_continue([task.id], flags=session.flags, again=again)
        show(task)

    try:
        return session.swaps.swap(
            request,
            transfer=bars.transfer,
            changed=changed,
            reused=lambda task: output.note(f"{made(task)}; --fresh makes it again"),
        )
    except TaskUnsuccessful as error:
        raise (unsuccessful(last, flags=session.flags) if last else error) from None


def made(task: TaskView) -> str:
    """When and by which engine the result was made: `made 3 d ago by corner 2`."""
    return f"made {age(task.updated_at)} ago by {task.engine} {task.engine_version}".rstrip()
