"""`facecli preview`: some frames before and after, before a task is created."""

from functools import partial
from typing import Annotated

import typer

from facecli.cli.label.terms import ConsentOption, NoLabel
from facecli.cli.progress.bars import progress_bars
from facecli.cli.shared.command import with_session
from facecli.cli.shared.inputs import checked_inputs, uploaded
from facecli.cli.shared.interrupts import interruptible
from facecli.cli.shared.options import ChunkSize, ProgressKind, RetryFor, time
from facecli.cli.shared.output import Output
from facecli.cli.shared.output_file import (
    Force,
    RequiredOut,
    SkipExisting,
    check_options,
    show_path,
)
from facecli.cli.task.options import EngineChoice
from facecli.client.destination import destination
from facecli.client.input_file import named_path
from facecli.client.output import write_bytes
from facecli.client.terms import stated_terms
from facecli.core.errors import InvalidInput
from facecli.core.video.plan import microseconds
from facecli.library.session import Session


@partial(with_session, quiet_help="Print only the path.", run_server=True)
def preview(
    session: Session,
    output: Output,
    image: Annotated[
        str,
        typer.Argument(
            metavar="FACE",
            help="Picture of the face: a local file or the URL of an upload.",
            show_default=False,
        ),
    ],
    video: Annotated[
        str,
        typer.Argument(
            metavar="VIDEO", help="Video: a local file or the URL of an upload.", show_default=False
        ),
    ],
    out: RequiredOut,
    at: Annotated[
        list[float] | None,
        typer.Option(
            "--at",
            metavar="TIME",
            parser=time,
            help="Time of a frame, up to 8 times; without it 4 frames, spread evenly.",
        ),
    ] = None,
    engine_choice: EngineChoice = EngineChoice(),
    chunk_size: ChunkSize = None,
    retry_for: RetryFor = None,
    force: Force = False,
    skip_existing: SkipExisting = False,
    consent: ConsentOption = None,
    no_label: NoLabel = None,
    progress: ProgressKind = None,
) -> None:
    """Show some frames before and after the swap.

    Uploads the files that the server does not have yet, swaps a few frames there in seconds, and writes a
    JPEG with every frame beside its swapped one. A frame looks as it will in the result of `facecli swap`
    with the same engine and options, which uploads nothing again. Runs a server as `facecli swap` does.

    Example: facecli preview face.jpg clip.mp4 --at 3s --at 1m2s -o sheet.jpg

    Exit codes: 0 success, 2 unusable file, 4 unauthenticated or forbidden, 5 URL not found, 6 server
    unreachable, 7 incomplete (run it again), 8 integrity check failed, 9 limit reached, 10 terms refused by
    the server's policy.
    """
    files = [named_path(image, placeholder="FACE"), named_path(video, placeholder="VIDEO")]
    target = destination(out, name=f"{files[1].stem}.jpg", inputs=[file for file in files if file.exists()])
    check_options(target, output, force=force, skip_existing=skip_existing)
    if skip_existing and target.exists:
        output.note(f"{target.shown} exists; skipped")
        show_path(output, target, {"skipped": True})
        return
    if target.exists and not force:
        raise InvalidInput(f"{target.shown} already exists; --force replaces it, --skip-existing keeps it")
    engine, options = engine_choice.resolved()
    terms = stated_terms(no_label, consent)
    with interruptible(), progress_bars(session.settings.progress, quiet=output.quiet) as bars:
        inputs = checked_inputs(image, video, bars)
        name, version = session.tasks.check(engine=engine, options=options, terms=terms)
        image_url, video_url = (uploaded(session, each) for each in inputs)
        sheet = session.tasks.preview(
            image_url=image_url,
            video_url=video_url,
            engine=engine,
            options=options,
            at=[microseconds(each) for each in at or ()],
            terms=terms,
        )
        write_bytes(sheet, target)
    show_path(output, target, {"size": len(sheet), "engine": name, "engine_version": version})
