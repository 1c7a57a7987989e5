"""`facecli task create`: create a task from local files or uploaded ones."""

from functools import partial
from typing import Annotated

import typer

from facecli.cli.progress.bars import progress_bars
from facecli.cli.shared.command import with_session
from facecli.cli.shared.inputs import From, To, checked_inputs, uploaded
from facecli.cli.shared.interrupts import interruptible
from facecli.cli.shared.objects import task_object
from facecli.cli.shared.options import Fresh, ProgressKind, RetryFor, filled
from facecli.cli.shared.output import Output
from facecli.cli.shared.timestamps import age
from facecli.cli.task.options import EngineChoice, TaskTerms
from facecli.cli.task.watch import follow, note_all
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
            "--id",
            metavar="KEY",
            parser=filled,
            help="Idempotency key: the same key never creates a second task.",
        ),
    ] = None,
    engine_choice: EngineChoice = EngineChoice(),
    begin: From = None,
    end: To = None,
    fresh: Fresh = False,
    task_terms: TaskTerms = TaskTerms(),
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
    part, terms, notify = video_part(begin, end), task_terms.stated(), task_terms.webhook
    engine, options = engine_choice.resolved()
    with (
        interruptible() as interruption,
        progress_bars(session.settings.progress, quiet=output.quiet) as bars,
    ):
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
            priority=task_terms.chosen_priority(),
        )
        interruption.tasks_continue([task.id], flags=session.flags)
        if task.ended:
            output.note(f"task of {age(task.created_at)} ago, {task.status}; --fresh makes it again")
        else:
            note_all(task, output)
        output.show(task_object(task), text=task.id, short=task.id)
        if watch:
            follow(session, task.id, output, bars.task(), show=output.show)
