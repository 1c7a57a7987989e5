"""The figures of `bench task`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from statistics import median

from facecli.bench.figures import Figure, aggregate


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskRun:
    """A task, and a plain ffmpeg run with the same filters and settings just before or after it."""

    first_progress_ms: float
    task_fps: float
    plain_fps: float
    by_plain: float  # task_fps / plain_fps


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchRun:
    """Many watchers of one task: delays from the worker's commit, and the server's usage."""

    watch_p50_ms: float
    watch_p95_ms: float
    watch_events: int
    watch_cores: float
    watch_peak_mb: float
    status_p95_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class KillRun:
    """A worker that is killed in the middle of a task."""

    again_seconds: float


Run = TaskRun | WatchRun | KillRun

FIGURES = (
    Figure(name="first_progress_ms", label="first progress, ms", aggregate="median", join=median),
    Figure(name="task_fps", label="task, frames/s", aggregate="median", join=median),
    Figure(name="plain_fps", label="plain ffmpeg, frames/s", aggregate="median", join=median),
    Figure(name="by_plain", label="task / plain ffmpeg", aggregate="median", join=median),
    Figure(name="watch_p50_ms", label="commit to watcher, p50 ms", aggregate="all events", join=median),
    Figure(name="watch_p95_ms", label="commit to watcher, p95 ms", aggregate="all events", join=median),
    Figure(name="watch_events", label="events sent to watchers", aggregate="sum", join=sum),
    Figure(name="watch_cores", label="CPU cores, server", aggregate="mean", join=median),
    Figure(name="watch_peak_mb", label="peak memory MB, server", aggregate="max", join=max),
    Figure(name="status_p95_ms", label="status call, p95 ms", aggregate="all calls", join=median),
    Figure(name="again_seconds", label="kill -9 to running again, s", aggregate="median", join=median),
)


def figures(runs: Sequence[Run]) -> dict[str, float | None]:
    """The figures over all runs that have them; None where no run has."""
    values: Mapping[str, list[float]] = {figure.name: [] for figure in FIGURES}
    for run in runs:
        for field in fields(run):
            values[field.name].append(getattr(run, field.name))
    return aggregate(FIGURES, values)
