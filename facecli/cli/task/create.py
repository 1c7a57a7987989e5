"""`facecli task create`: a task from file_urls or local files."""

from pathlib import Path
from typing import Annotated

import typer

from facecli.cli.progress.bars import Bars, bars
from facecli.cli.shared.command import with_session
from facecli.cli.shared.objects import task_object
from facecli.cli.shared.options import Engine, EngineOptions, ProgressKind, RetryFor
from facecli.cli.shared.output import Output
from facecli.cli.shared.session import Session
from facecli.cli.task.watch import follow
from facecli.cli.upload import send
from facecli.core.errors import InvalidInput
from facecli.uploads.upload import FileType


@with_session
def create(
    opened: Session,
    output: Output,
    image: Annotated[
        str, typer.Option("--image", metavar="FILE|URL", help="The face: a local file, or a file_url.")
    ],
    video: Annotated[
        str, typer.Option("--video", metavar="FILE|URL", help="The video: a local file, or a file_url.")
    ],
    key: Annotated[
        str | None,
        typer.Option("--id", metavar="KEY", help="Your own key: the same key never makes a second task."),
    ] = None,
    engine: Engine = "",
    option: EngineOptions = None,
    watch: Annotated[bool, typer.Option("--watch", help="Follow the task to its end.")] = False,
    retry_for: RetryFor = None,
    progress: ProgressKind = None,
) -> None:
    """Create a task and print its id.

    Local files are uploaded first.

    Example: facecli task create --image face.jpg --video clip.mp4 --watch

    Exit codes: 0 created (with --watch: completed), 2 a file that cannot be used, 3 failed, 4 not let in, 5
    no such URL, 6 no server, 7 incomplete, run it again.
    """
    if key is not None and not (key.isascii() and key.isprintable()):
        raise InvalidInput(f"--id {key!r} has to be printable ASCII characters")
    with bars(opened.settings.progress, quiet=output.quiet) as drawn:
        task = opened.tasks.create(
            image_url=_url(opened, image, FileType.IMAGE, drawn),
            video_url=_url(opened, video, FileType.VIDEO, drawn),
            engine=engine,
            options=parsed_options(option),
            key=key,
        )
        output.show(task_object(task), text=task.id, short=task.id)
        if watch:
            follow(opened, task.id, output, drawn, timeout=None)


def parsed_options(pairs: list[str] | None) -> dict[str, str]:
    """`K=V` pairs of --option."""
    options = {}
    for pair in pairs or []:
        name, equals, value = pair.partition("=")
        if not equals or not name:
            raise InvalidInput(f"--option {pair!r} is not K=V")
        options[name] = value
    return options


def _url(opened: Session, said: str, kind: FileType, drawn: Bars) -> str:
    if said.startswith("/uploads/") and not Path(said).exists():
        return said
    path = Path(said)
    return send(opened, path, kind, drawn).file_url
