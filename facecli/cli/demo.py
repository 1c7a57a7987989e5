"""`facecli demo`: the whole flow on this machine."""

import tempfile
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from facecli.cli.progress.bars import bars
from facecli.cli.shared.command import with_settings
from facecli.cli.shared.objects import task_object
from facecli.cli.shared.options import Json, Profile, ProgressKind, Quiet
from facecli.cli.shared.output import Output
from facecli.cli.shared.session import connected
from facecli.cli.swap import swapped
from facecli.config.access import standalone
from facecli.config.settings import Settings
from facecli.core.errors import InvalidInput
from facecli.telemetry.logs import set_up_logging

SECONDS = 5  # of the clip


@with_settings
def demo(
    settings: Settings,
    keep: Annotated[
        Path | None,
        typer.Option(
            "--keep", metavar="DIR", help="Keep everything in DIR: samples, result, the server's data."
        ),
    ] = None,
    progress: ProgressKind = None,
    profile: Profile = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Show the whole flow on samples made here.

    Starts a server of its own in a temporary directory, makes a clip with sound and a face picture, uploads
    both, swaps, downloads and checks the result, and prints where it lies.

    Example: facecli demo --keep demo

    Exit codes: 0 done, 1 there is no ffmpeg, 2 DIR cannot be used, 8 the result is not what it should be.
    """
    output = Output(as_json=as_json, quiet=quiet)
    set_up_logging(level="error", format=settings.log_format)
    from facecli.bench.samples import check_result, make_samples
    from facecli.bootstrap.factories import media_of
    from facecli.bootstrap.server import run_server

    with ExitStack() as stack:
        folder = _folder(keep)
        data = keep / "server" if keep else Path(stack.enter_context(tempfile.TemporaryDirectory()))
        media = media_of(settings)
        image, video = make_samples(media, folder, seconds=SECONDS)
        output.note(f"made {image} and {video}")
        own = replace(standalone(settings), data_dir=str(data), workers=1, log_level="error")
        server = stack.enter_context(run_server(own))
        output.note(f"a server of our own listens on {server.address}")
        opened = stack.enter_context(connected(replace(own, server=server.address)))
        out = folder / "result.mp4"
        with bars(settings.progress, quiet=quiet) as drawn:
            task = swapped(opened, drawn, output, image=image, video=video, out=out)
        output.note(check_result(media, video=video, result=out))
        if not keep:
            image.unlink()
            video.unlink()
        output.show({**task_object(task), "path": str(out)}, text=f"the result is {out}", short=str(out))


def _folder(keep: Path | None) -> Path:
    if keep is None:
        return Path(tempfile.mkdtemp(prefix="facecli-demo-"))
    try:
        keep.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InvalidInput(f"--keep: {keep} cannot be a directory: {error.strerror}") from error
    return keep
