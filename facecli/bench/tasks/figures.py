"""From what was measured of tasks to the figures that a bench reports."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from statistics import median

from facecli.bench.figures import Figure, over_runs


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskRun:
    """A task, and plain ffmpeg with the same filters and encoder settings just before or after it."""

    first_progress_ms: float
    task_fps: float
    plain_fps: float
    by_plain: float  # the one by the other


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchRun:
    """Many watchers of one task: delays from a worker's commit, and what that cost the server."""

    watch_p50_ms: float
    watch_p95_ms: float
    watch_events: int
    watch_cores: float
    watch_peak_mb: float
    status_p95_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class KillRun:
    """A worker killed in the middle of a task."""

    again_seconds: float


Run = TaskRun | WatchRun | KillRun

FIGURES = (
    Figure(name="first_progress_ms", label="ms from create to first progress", how="median", joined=median),
    Figure(name="task_fps", label="frames per second, task", how="median", joined=median),
    Figure(name="plain_fps", label="frames per second, plain ffmpeg", how="median", joined=median),
    Figure(name="by_plain", label="task / plain ffmpeg", how="median", joined=median),
    Figure(name="watch_p50_ms", label="ms from commit to watcher, p50", how="all events", joined=median),
    Figure(name="watch_p95_ms", label="ms from commit to watcher, p95", how="all events", joined=median),
    Figure(name="watch_events", label="events to watchers", how="sum", joined=sum),
    Figure(name="watch_cores", label="cores of the server meanwhile", how="mean", joined=median),
    Figure(name="watch_peak_mb", label="peak memory MB, server", how="most", joined=max),
    Figure(name="status_p95_ms", label="ms of a status call meanwhile, p95", how="all calls", joined=median),
    Figure(name="again_seconds", label="s from kill -9 to running again", how="median", joined=median),
)


def figures(runs: Sequence[Run]) -> dict[str, float | None]:
    """Over all runs that have them; None where there were none."""
    values: Mapping[str, list[float]] = {figure.name: [] for figure in FIGURES}
    for run in runs:
        for each in fields(run):
            values[each.name].append(getattr(run, each.name))
    return over_runs(FIGURES, values)
