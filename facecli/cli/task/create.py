"""`facecli task create`: create a task from local files or uploaded ones."""

from functools import partial
from typing import Annotated

import typer

from facecli.cli.label.terms import ConsentOption, NoLabel
from facecli.cli.progress.bars import progress_bars
from facecli.cli.shared.command import with_session
from facecli.cli.shared.inputs import From, To, checked_inputs, uploaded
from facecli.cli.shared.interrupts import interruptible
from facecli.cli.shared.objects import task_object
from facecli.cli.shared.options import (
    Engine,
    EngineOptions,
    Fresh,
    Notify,
    PresetName,
    ProgressKind,
    RetryFor,
)
from facecli.cli.shared.output import Output
from facecli.cli.shared.timestamps import age
from facecli.cli.task.watch import follow, note_all
from facecli.client.terms import stated_terms
from facecli.config.presets import preset as preset_of
from facecli.core.errors import InvalidInput
from facecli.core.video.plan import video_part
from facecli.library.session import Session


@partial(with_session, quiet_help="Print only the ID; with --watch also the URL of the result.")
def create(
    session: Session,
    output: Output,
    image: Annotated[
        str,
        typer.Option(
            "--image", metavar="FILE|URL", help="Picture of the face: a local file or the URL of an upload."
        ),
    ],
    video: Annotated[
        str, typer.Option("--video", metavar="FILE|URL", help="Video: a local file or the URL of an upload.")
    ],
    key: Annotated[
        str | None,
        typer.Option(
            "--id", metavar="KEY", help="Idempotency key: the same key never creates a second task."
        ),
    ] = None,
    engine: Engine = "",
    option: EngineOptions = None,
    preset: PresetName = "",
    begin: From = None,
    end: To = None,
    fresh: Fresh = False,
    notify: Notify = "",
    consent: ConsentOption = None,
    no_label: NoLabel = None,
    watch: Annotated[bool, typer.Option("--watch", help="Watch the task until it ends.")] = False,
    retry_for: RetryFor = None,
    progress: ProgressKind = None,
) -> None:
    """Create a task and print its ID.

    Uploads local files first, once they, the engine and its options are checked.

    --from and --to take a part of the video: the result has the frames that begin in it, with their sound.

    Example: facecli task create --image face.jpg --video clip.mp4 --watch

    Exit codes: 0 created (with --watch: completed), 2 unusable file, 3 task failed, 4 unauthenticated or
    forbidden, 5 URL not found, 6 server unreachable, 7 incomplete (run it again), 10 terms refused by the
    server's policy.
    """
    if key is not None and not (key.isascii() and key.isprintable()):
        raise InvalidInput(f"--id {key!r} must consist of printable ASCII characters")
    part, terms = video_part(begin, end), stated_terms(no_label, consent)
    with (
        interruptible() as interruption,
        progress_bars(session.settings.progress, quiet=output.quiet) as bars,
    ):
        engine, options = engine_choice(preset, engine, option)
        inputs = checked_inputs(image, video, bars)
        session.tasks.check(engine=engine, options=options, terms=terms, notify=notify)
        image_url, video_url = (uploaded(session, each) for each in inputs)
        task = session.tasks.create(
            image_url=image_url,
            video_url=video_url,
            engine=engine,
            options=options,
            part=part,
            key=key,
            fresh=fresh,
            notify=notify,
            terms=terms,
        )
        interruption.tasks_continue([task.id], flags=session.flags)
        if task.ended:
            output.note(f"task of {age(task.created_at)} ago, {task.status}; --fresh makes it again")
        else:
            note_all(task, output)
        output.show(task_object(task), text=task.id, short=task.id)
        if watch:
            follow(session, task.id, output, bars.task(), show=output.show)


def engine_choice(preset: str, engine: str, pairs: list[str] | None) -> tuple[str, dict[str, str]]:
    """Engine and options: those of --preset, except where --engine and --option say otherwise."""
    options = _parse_options(pairs)
    if not preset:
        return engine, options
    found = preset_of(preset)
    return engine or found.engine, {**found.options, **options}


def _parse_options(pairs: list[str] | None) -> dict[str, str]:
    """Parse the `K=V` pairs of --option."""
    options = {}
    for pair in pairs or []:
        name, equals, value = pair.partition("=")
        if not equals or not name:
            raise InvalidInput(f"--option {pair!r} is not K=V")
        options[name] = value
    return options
