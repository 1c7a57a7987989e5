"""The report of a bench: a JSON object, or a title and a table."""

import os
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from facecli import __version__
from facecli.bench.figures import Figure
from facecli.bench.tasks import figures as task_figures
from facecli.bench.tasks.plan import TaskPlan
from facecli.bench.uploads import figures as upload_figures
from facecli.bench.uploads.bottleneck import Bottleneck, bottleneck, load
from facecli.bench.uploads.measure import UploadMeasurement
from facecli.bench.uploads.plan import UploadPlan
from facecli.bench.uploads.stages import StageFigure, stage_figures
from facecli.cli.bench.baseline import Baseline, ratios, slower
from facecli.cli.bench.limits import Limit, check
from facecli.cli.bench.table import figure_table, stage_table
from facecli.cli.shared.output import Output

LOCAL = "a local server"
NO_STAGES = "the server does not report its stages; update it to see them"


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The report of one bench. The `address` of a local server is None."""

    bench: str
    title: str
    plan: dict[str, Any]
    server: dict[str, Any]
    rows: Sequence[Figure]
    figures: dict[str, float | None]
    runs: Sequence[Any]
    baseline: Baseline | None
    details: "StageReport | None" = None

    @property
    def ratios(self) -> dict[str, float | None] | None:
        return ratios(self.figures, self.baseline.figures) if self.baseline else None

    @property
    def object(self) -> dict[str, Any]:
        """The JSON object: a contract for scripts, and the input of --baseline."""
        return {
            "bench": self.bench,
            "facecli": __version__,
            "python": platform.python_version(),
            "system": platform.platform(),
            "cores": _cores(),
            "server": self.server,
            "plan": self.plan,
            "figures": self.figures,
            "ratios": self.ratios,
            **(self.details.object if self.details else {}),
            "runs": [asdict(run) for run in self.runs],
        }

    @property
    def notes(self) -> list[str]:
        """Differences that make the comparison with the baseline unfair; without any, a much worse ratio."""
        if not self.baseline:
            return []
        was = {**self.baseline.plan, "server": self.baseline.server or LOCAL}
        now = {**self.plan, "server": self.server["address"] or LOCAL}
        differences = [
            f"the baseline differs in {name}: {was.get(name)}, not {value}"
            for name, value in now.items()
            if was.get(name) != value
        ]
        return differences or list(filter(None, [slower(self.figures, self.baseline.figures)]))

    @property
    def text(self) -> str:
        """The title and the tables, for people."""
        table = figure_table(self.rows, self.figures, title=self.title, ratios=self.ratios)
        return f"{table}\n\n{self.details.text}" if self.details else table

    def show(self, output: Output, *, short: str, limits: Sequence[Limit]) -> None:
        """Print the report, or only the figure `short`; FacecliError names every limit that is exceeded."""
        for note in self.notes:
            output.note(note)
        output.show(self.object, text=self.text, short=f"{self.figures[short]}")
        check(limits, self.figures, self.baseline)


@dataclass(frozen=True, slots=True, kw_only=True)
class StageReport:
    """The stages of uploads in the server, and the bottleneck; None if the server does not measure them."""

    stages: dict[str, StageFigure] | None
    bottleneck: Bottleneck | None

    @property
    def object(self) -> dict[str, Any]:
        stages, bottleneck = self.stages, self.bottleneck
        return {
            "stages": {name: asdict(stage) for name, stage in stages.items()} if stages else None,
            "bottleneck": asdict(bottleneck) if bottleneck else None,
        }

    @property
    def text(self) -> str:
        if not self.stages or not self.bottleneck:
            return NO_STAGES
        return f"{stage_table(self.stages)}\n\n{self.bottleneck.sentence}"


def upload_report(
    plan: UploadPlan, measured: UploadMeasurement, *, server: str | None, baseline: Baseline | None
) -> Report:
    """The report of `bench upload`; `server` is None for a local one."""
    return Report(
        bench="upload",
        title=_upload_title(plan, server),
        plan=asdict(plan),
        server={
            "address": server,
            "version": measured.server.version,
            "features": list(measured.server.features),
        },
        rows=upload_figures.FIGURES,
        figures=upload_figures.figures(measured.runs, measured.delays),
        runs=measured.runs,
        baseline=baseline,
        details=_stage_report(plan, measured, server=server),
    )


def task_report(plan: TaskPlan, runs: Sequence[task_figures.Run], *, baseline: Baseline | None) -> Report:
    return Report(
        bench="task",
        title=_task_title(plan),
        plan=asdict(plan),
        server={"address": None},
        rows=task_figures.FIGURES,
        figures=task_figures.figures(runs),
        runs=runs,
        baseline=baseline,
    )


def _stage_report(plan: UploadPlan, measured: UploadMeasurement, *, server: str | None) -> StageReport:
    loaded = load(
        measured.runs,
        clients=plan.concurrency,
        cores=_cores(),
        network=bool(server) or not plan.fault_free,
    )
    return StageReport(
        stages=stage_figures([(run.stages, run.seconds) for run in measured.runs]),
        bottleneck=bottleneck(loaded) if loaded else None,
    )


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _upload_title(plan: UploadPlan, server: str | None) -> str:
    line = [
        f"{plan.cuts} cuts of each connection" if plan.cuts else "",
        f"a cut every {_size(plan.cut_every.low)} to {_size(plan.cut_every.high)}" if plan.cut_every else "",
        f"{plan.delay * 1000:g} ms delay each way" if plan.delay else "",
        f"{_size(plan.rate)} per second" if plan.rate else "",
    ]
    parts = [
        f"{_counted(plan.concurrency, 'client')}, {_counted(plan.files, 'file')} of {_size(plan.size)} "
        f"{'each ' if plan.concurrency > 1 else ''}in chunks of {_size(plan.chunk_size)}",
        f"to {server or LOCAL}",
        f"{_counted(plan.runs, 'run')} after {_counted(plan.warm_up, 'warm-up')}",
    ]
    return "; ".join([", ".join(parts), *filter(None, line)])


def _task_title(plan: TaskPlan) -> str:
    parts = [
        f"a clip of {_counted(plan.seconds, 'second')}",
        f"to {LOCAL} with one worker",
        f"{_counted(plan.runs, 'run')} after {_counted(plan.warm_up, 'warm-up')}",
        f"{_counted(plan.watchers, 'watcher')} for {plan.watch_for:g} s" if plan.watchers else "",
        _counted(plan.kills, "kill") if plan.kills else "",
    ]
    return ", ".join(filter(None, parts))


def _size(count: int) -> str:
    """Format in the unit that was most likely given."""
    for unit, of_unit, least in (("MB", 10**6, 10**5), ("MiB", 2**20, 2**20), ("KiB", 2**10, 2**10)):
        if count % least == 0:
            return f"{count / of_unit:g} {unit}"
    return f"{count} bytes"


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
