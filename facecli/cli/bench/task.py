"""`facecli bench task`: measure tasks and watch streams."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from facecli.cli.bench.options import (
    BaselineFile,
    ClipSeconds,
    DataDir,
    Kills,
    Runs,
    TaskLimits,
    WarmUp,
    Watchers,
    WatchFor,
)
from facecli.cli.bench.server import local_server, target, terminable
from facecli.cli.progress.bars import progress_bars
from facecli.cli.shared.command import with_settings
from facecli.cli.shared.options import ProgressKind
from facecli.cli.shared.output import Output
from facecli.config.access import standalone
from facecli.config.settings import Settings

if TYPE_CHECKING:
    from facecli.bench.tasks.figures import Run
    from facecli.bench.tasks.plan import TaskPlan

WATCH_FOR = 10.0  # seconds


@partial(with_settings, quiet_help="Print only the frames per second.")
def task(
    settings: Settings,
    output: Output,
    seconds: ClipSeconds = 20,
    runs: Runs = 3,
    warm_up: WarmUp = 1,
    watchers: Watchers = 1000,
    watch_for: WatchFor = None,
    kills: Kills = 3,
    data_dir: DataDir = None,
    baseline: BaselineFile = None,
    fail_if: TaskLimits = None,
    progress: ProgressKind = None,
) -> None:
    """Measure tasks.

    Starts a local server with one worker and the mock engine. Measures the time from create to the first
    progress; frames per second, compared with a plain ffmpeg command with the same filters and settings; the
    delay from a worker's commit to many watchers; and the time from kill -9 of the worker until the task
    runs again.

    Example: facecli bench task --watchers 1000 --kills 3

    Example: facecli bench task --json --fail-if 'by_plain<0.9' --fail-if 'watch_p95_ms>200'

    Exit codes: 0 done, 1 a --fail-if holds or ffmpeg is missing, 2 invalid option, 9 disk full.
    """
    from facecli.bench.figures import value_names
    from facecli.bench.tasks.figures import FIGURES
    from facecli.bench.tasks.plan import TaskPlan
    from facecli.cli.bench.baseline import read_baseline
    from facecli.cli.bench.limits import read_limits
    from facecli.cli.bench.report import task_report

    plan = TaskPlan(
        seconds=seconds,
        runs=runs,
        warm_up=warm_up,
        watchers=watchers,
        watch_for=WATCH_FOR if watch_for is None else watch_for,
        kills=kills,
    )
    before = read_baseline(baseline, bench="task") if baseline else None
    limits = read_limits(fail_if or [], names=value_names(FIGURES), baseline=before)
    measured = _measure(plan, standalone(settings), data_dir=data_dir, quiet=output.quiet)
    report = task_report(plan, measured, baseline=before)
    report.show(output, short="task_fps", limits=limits)


def _measure(plan: "TaskPlan", settings: Settings, *, data_dir: Path | None, quiet: bool) -> Sequence["Run"]:
    from facecli.bench.disk_space import check_disk_space, scratch_directory
    from facecli.bench.plain_ffmpeg import measure_plain_swap
    from facecli.bench.samples import make_samples
    from facecli.bench.tasks.measure import measure_tasks
    from facecli.bootstrap.factories import plain_engine

    with (
        terminable(),
        progress_bars(settings.progress, quiet=quiet) as bars,
        scratch_directory(data_dir) as folder,
    ):
        check_disk_space(folder, 0, remedy="choose another --data-dir")
        local = replace(
            settings,
            data_dir=str(folder / "server"),
            log_level="error",
            workers=1,
            max_watchers=plan.watchers + 1,
        )
        media, engine = plain_engine(settings)
        face, clip = make_samples(media, folder, seconds=plan.seconds)
        return measure_tasks(
            plan,
            target(settings, ""),
            run_server=partial(local_server, local),
            samples=(face, clip),
            plain=partial(
                measure_plain_swap, media, engine, face=face, video=clip, output=folder / "plain.mp4"
            ),
            progress=bars.task,
        )
