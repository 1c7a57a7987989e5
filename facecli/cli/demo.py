"""`facecli demo`: the whole flow on this machine."""

import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from facecli.cli.progress.bars import progress_bars
from facecli.cli.shared.command import with_settings
from facecli.cli.shared.interrupts import Interruption, interruptible
from facecli.cli.shared.objects import task_object
from facecli.cli.shared.options import ProgressKind
from facecli.cli.shared.output import Output
from facecli.cli.shared.output_file import temporary_results
from facecli.cli.swap import run_swap, swap_request
from facecli.cli.task.watch import note_all
from facecli.client.destination import destination
from facecli.config.access import standalone
from facecli.config.settings import Settings
from facecli.core.errors import InvalidInput
from facecli.library.session import connected
from facecli.telemetry.logs import set_up_logging

CLIP_SECONDS = 3
SWAPPING_ENGINES = ("mesh", "inswapper")  # whose results show the face of the photo
REMOVALS = 100
REMOVAL_INTERVAL = 0.1  # seconds


@partial(with_settings, quiet_help="Print only the path of the result.")
def demo(
    settings: Settings,
    output: Output,
    keep: Annotated[
        Path | None,
        typer.Option(
            "--keep", metavar="DIR", help="Keep the samples, the result and the server's data in DIR."
        ),
    ] = None,
    progress: ProgressKind = None,
) -> None:
    """Run the whole flow on sample files.

    Starts a temporary server, makes a clip with sound of one public-domain portrait, uploads it with another
    portrait, swaps the face, downloads the result, checks that it shows the face of the other portrait, and
    prints its path. Without --keep, only the result of the last run is kept.

    Example: facecli demo --keep demo

    Exit codes: 0 success, 1 ffmpeg not found, 2 DIR cannot be used, 8 the result is wrong.
    """
    set_up_logging(level="error", format=settings.log_format)
    from facecli.bench.samples import check_likeness, check_result
    from facecli.bootstrap.factories import ffmpeg_media, measure_likeness
    from facecli.bootstrap.server import run_server

    with interruptible(*_interruption(keep)), ExitStack() as stack:
        folder = keep or stack.enter_context(temporary_folder())
        out = folder / "result.mp4"
        _make_folder(folder)
        media = ffmpeg_media(settings)
        image, video = media.make_portraits(folder, seconds=CLIP_SECONDS)
        output.note(f"made {image.name} and {video.name}{f' in {keep}' if keep else ''}")
        own = replace(standalone(settings), data_dir=str(folder / "server"), workers=1, log_level="error")
        server = stack.enter_context(run_server(own))
        output.note(f"started a temporary server on {server.address}, with engine {server.default_engine}")
        if server.fallback:
            output.note(server.fallback)
        session = stack.enter_context(connected(replace(own, server=server.address)))
        with progress_bars(settings.progress, quiet=output.quiet) as bars:
            target = destination(str(out), name=out.name)
            request = swap_request(session, image=image, video=video, target=target)
            # Its task ends with the server, so nothing is left to cancel.
            task = run_swap(session, bars, output, request, Interruption())
        note_all(task, output)
        output.note(check_result(media, video=video, result=out))
        if server.default_engine in SWAPPING_ENGINES:
            likeness = measure_likeness(media, photo=image, before=video, after=out)
            output.note(check_likeness(likeness, photo=image, result=out))
        if not keep:
            out = Path(shutil.move(out, temporary_results("demo", otherwise="pass --keep DIR") / out.name))
        output.show({**task_object(task), "path": str(out)}, text=f"result: {out}", short=str(out))


def _interruption(keep: Path | None) -> tuple[str, str]:
    if keep:
        return f"interrupted; {keep} keeps what was done", "run the same command again to resume"
    return "interrupted; the temporary server and its files are removed", ""


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """A directory that is removed, also while an ffmpeg that is being killed still writes to it."""
    folder = Path(tempfile.mkdtemp(prefix="facecli-demo-"))
    try:
        yield folder
    finally:
        for _ in range(REMOVALS):
            shutil.rmtree(folder, ignore_errors=True)
            if not folder.exists():
                break
            time.sleep(REMOVAL_INTERVAL)
        else:
            shutil.rmtree(folder)


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InvalidInput(f"--keep: cannot create directory {folder}: {error.strerror}") from error
