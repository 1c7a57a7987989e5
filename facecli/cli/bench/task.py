"""`facecli bench task`: how fast tasks are, and how soon who watches them knows."""

from dataclasses import replace
from functools import partial
from typing import Annotated

import typer

from facecli.cli.bench.options import BaselineFile, DataDir, Runs, WarmUp
from facecli.cli.bench.server import own_server, target, terminable
from facecli.cli.progress.bars import progress_bars
from facecli.cli.shared.command import with_settings
from facecli.cli.shared.options import ProgressKind, time
from facecli.cli.shared.output import Output
from facecli.config.access import standalone
from facecli.config.settings import Settings


@partial(with_settings, quiet_help="Print only the frames per second.")
def task(
    settings: Settings,
    output: Output,
    seconds: Annotated[
        int,
        typer.Option("--seconds", metavar="N", help="Of the clip: 1280 × 720, 25 frames a second.", min=1),
    ] = 20,
    runs: Runs = 3,
    warm_up: WarmUp = 1,
    watchers: Annotated[
        int, typer.Option("--watchers", metavar="N", help="Watchers of one task at once.", min=0)
    ] = 1000,
    watch_for: Annotated[
        float | None,
        typer.Option("--watch-for", metavar="TIME", parser=time, help="How long they watch; default: 10s."),
    ] = None,
    kills: Annotated[
        int, typer.Option("--kills", metavar="N", help="Kills of a worker in the middle of a task.", min=0)
    ] = 3,
    data_dir: DataDir = None,
    baseline: BaselineFile = None,
    fail_if: Annotated[
        list[str] | None,
        typer.Option(
            "--fail-if",
            metavar="EXPR",
            help="End with exit code 1 then: by_plain<0.9, watch_p95_ms>200, again_seconds_max>1.2*baseline; "
            "may be repeated.",
        ),
    ] = None,
    progress: ProgressKind = None,
) -> None:
    """Measure tasks.

    On a server of its own with one worker and the mock engine: the time from create to the first progress;
    frames a second, in turns with one plain ffmpeg command that has the same filters and settings; the time
    from a worker's commit to many watchers; and from kill -9 of the worker until it runs again.

    Example: facecli bench task --watchers 1000 --kills 3

    Example: facecli bench task --json --fail-if 'by_plain<0.9' --fail-if 'watch_p95_ms>200'

    Exit codes: 0 done, 1 a --fail-if holds, or there is no ffmpeg, 2 a bad option, 9 no room on the disk.
    """
    from facecli.bench.content import check_room, scratch
    from facecli.bench.figures import names_of
    from facecli.bench.plain_ffmpeg import swap_plainly
    from facecli.bench.samples import make_samples
    from facecli.bench.tasks.figures import FIGURES
    from facecli.bench.tasks.measure import measure_tasks
    from facecli.bench.tasks.plan import TaskPlan
    from facecli.bootstrap.factories import plain_engine
    from facecli.cli.bench.limits import read_baseline, read_limits
    from facecli.cli.bench.report import task_report

    settings = standalone(settings)
    plan = TaskPlan(
        seconds=seconds,
        runs=runs,
        warm_up=warm_up,
        watchers=watchers,
        watch_for=10.0 if watch_for is None else watch_for,
        kills=kills,
    )
    before = read_baseline(baseline, bench="task") if baseline else None
    limits = read_limits(fail_if or [], names=names_of(FIGURES), baseline=before)
    with (
        terminable(),
        progress_bars(settings.progress, quiet=output.quiet) as drawn,
        scratch(data_dir) as folder,
    ):
        check_room(folder, 0, cure="choose another --data-dir")
        own = replace(
            settings,
            data_dir=str(folder / "server"),
            log_level="error",
            workers=1,
            max_watchers=watchers + 1,
        )
        media, engine = plain_engine(settings)
        face, clip = make_samples(media, folder, seconds=seconds)
        measured = measure_tasks(
            plan,
            target(settings, ""),
            run_server=partial(own_server, own),
            samples=(face, clip),
            plain=partial(swap_plainly, media, engine, face=face, video=clip, output=folder / "plain.mp4"),
            shown=drawn.task,
        )
    report = task_report(plan, measured, baseline=before)
    report.tell(output, short="task_fps", limits=limits)
