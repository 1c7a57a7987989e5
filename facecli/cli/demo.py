"""`facecli demo`: the whole flow on this machine."""

import tempfile
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from facecli.cli.progress.bars import progress_bars
from facecli.cli.shared.command import with_settings
from facecli.cli.shared.objects import task_object
from facecli.cli.shared.options import ProgressKind
from facecli.cli.shared.output import Output
from facecli.cli.shared.session import connected
from facecli.cli.swap import run_swap, swap_request
from facecli.client.destination import destination
from facecli.config.access import standalone
from facecli.config.settings import Settings
from facecli.core.errors import InvalidInput
from facecli.telemetry.logs import set_up_logging

CLIP_SECONDS = 5


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
    """Run the whole flow on generated samples.

    Starts a temporary server, generates a face picture and a clip with sound, uploads both, swaps, downloads
    and verifies the result, and prints its path.

    Example: facecli demo --keep demo

    Exit codes: 0 success, 1 ffmpeg not found, 2 DIR cannot be used, 8 the result is wrong.
    """
    set_up_logging(level="error", format=settings.log_format)
    from facecli.bench.samples import check_result, make_samples
    from facecli.bootstrap.factories import ffmpeg_media
    from facecli.bootstrap.server import run_server

    with ExitStack() as stack:
        folder = _folder(keep)
        data = keep / "server" if keep else Path(stack.enter_context(tempfile.TemporaryDirectory()))
        media = ffmpeg_media(settings)
        image, video = make_samples(media, folder, seconds=CLIP_SECONDS)
        output.note(f"generated {image} and {video}")
        own = replace(standalone(settings), data_dir=str(data), workers=1, log_level="error")
        server = stack.enter_context(run_server(own))
        output.note(f"started a temporary server on {server.address}")
        session = stack.enter_context(connected(replace(own, server=server.address)))
        out = folder / "result.mp4"
        with progress_bars(settings.progress, quiet=output.quiet) as bars:
            target = destination(str(out), name=out.name)
            request = swap_request(session, image=image, video=video, target=target)
            task = run_swap(session, bars, output, request)
        output.note(check_result(media, video=video, result=out))
        if not keep:
            image.unlink()
            video.unlink()
        output.show({**task_object(task), "path": str(out)}, text=f"result: {out}", short=str(out))


def _folder(keep: Path | None) -> Path:
    if keep is None:
        return Path(tempfile.mkdtemp(prefix="facecli-demo-"))
    try:
        keep.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InvalidInput(f"--keep: cannot create directory {keep}: {error.strerror}") from error
    return keep
