"""The figures of task runs, and which plans are possible."""

import pytest

from facecli.bench.figures import value_names
from facecli.bench.tasks.figures import FIGURES, KillRun, TaskRun, WatchRun, figures
from facecli.bench.tasks.plan import TaskPlan
from facecli.core.errors import InvalidInput

SLOW = TaskRun(first_progress_ms=900.0, task_fps=80.0, plain_fps=100.0, by_plain=0.8)
FAST = TaskRun(first_progress_ms=500.0, task_fps=99.0, plain_fps=100.0, by_plain=0.99)
WATCHED = WatchRun(
    watch_p50_ms=20.0,
    watch_p95_ms=90.0,
    watch_events=5000,
    watch_cores=0.25,
    watch_peak_mb=130.0,
    status_p95_ms=4.0,
)


def test_every_kind_of_run_adds_its_figures() -> None:
    values = figures([SLOW, FAST, FAST, WATCHED, KillRun(again_seconds=1.5), KillRun(again_seconds=2.5)])
    assert list(values) == value_names(FIGURES)
    assert (values["by_plain"], values["by_plain_min"], values["by_plain_max"]) == (0.99, 0.8, 0.99)
    assert (values["first_progress_ms"], values["first_progress_ms_max"]) == (500.0, 900.0)
    assert (values["watch_p95_ms"], values["watch_events"], values["watch_cores"]) == (90.0, 5000, 0.25)
    assert (values["again_seconds"], values["again_seconds_max"]) == (2.0, 2.5)


def test_figures_without_a_run_are_none() -> None:
    values = figures([FAST])
    assert {name for name, value in values.items() if value is None} == {
        name for name in values if name.startswith(("watch_", "status_", "again_"))
    }


def test_a_clip_needs_a_frame_for_every_watched_update() -> None:
    assert TaskPlan(seconds=4, watch_for=10.0).watchers == 1000
    assert TaskPlan(seconds=1, watch_for=60.0, watchers=0).seconds == 1
    with pytest.raises(InvalidInput, match="use --seconds 24 or more, or a shorter --watch-for"):
        TaskPlan(seconds=20, watch_for=60.0)
