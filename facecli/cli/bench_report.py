"""What `bench upload` prints: an object, or words and a table."""

import os
import platform
from dataclasses import asdict
from typing import Any

from facecli import __version__
from facecli.bench.upload_figures import FIGURES, figures
from facecli.bench.upload_plan import UploadPlan
from facecli.bench.uploads import Measured
from facecli.cli.bench_limits import Baseline, ratios
from facecli.cli.bench_table import figure_table

OWN = "a server of our own"


class UploadReport:
    """`server` is None when it was our own; `figures` by name, and as ratios to the baseline's."""

    def __init__(
        self, plan: UploadPlan, measured: Measured, *, server: str | None, baseline: Baseline | None
    ) -> None:
        self.figures = figures(measured.runs, measured.delays)
        self._plan = plan
        self._measured = measured
        self._server = server
        self._baseline = baseline
        self._ratios = ratios(self.figures, baseline.figures) if baseline else None

    @property
    def object(self) -> dict[str, Any]:
        """Contract for scripts, and what --baseline reads."""
        return {
            "bench": "upload",
            "facecli": __version__,
            "python": platform.python_version(),
            "system": platform.platform(),
            "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
            "server": {
                "address": self._server,
                "version": self._measured.server.version,
                "features": list(self._measured.server.features),
            },
            "plan": asdict(self._plan),
            "figures": self.figures,
            "ratios": self._ratios,
            "runs": [asdict(run) for run in self._measured.runs],
        }

    @property
    def notes(self) -> list[str]:
        """What makes the comparison lame."""
        if not self._baseline:
            return []
        was = {**self._baseline.plan, "server": self._baseline.server or OWN}
        now = {**asdict(self._plan), "server": self._server or OWN}
        return [
            f"the baseline had another {name}: {was.get(name)}, not {value}"
            for name, value in now.items()
            if was.get(name) != value
        ]

    @property
    def text(self) -> str:
        """For people."""
        return figure_table(FIGURES, self.figures, title=self._title, ratios=self._ratios)

    @property
    def _title(self) -> str:
        plan = self._plan
        line = [
            f"{plan.cuts} cuts of each line" if plan.cuts else "",
            f"a cut every {_size(plan.cut_every.low)} to {_size(plan.cut_every.high)}"
            if plan.cut_every
            else "",
            f"{plan.delay * 1000:g} ms each way" if plan.delay else "",
            f"{_size(plan.rate)} a second" if plan.rate else "",
        ]
        parts = [
            f"{_counted(plan.concurrency, 'client')}, {_counted(plan.files, 'file')} of {_size(plan.size)} "
            f"{'each ' if plan.concurrency > 1 else ''}in chunks of {_size(plan.chunk_size)}",
            f"to {self._server or OWN}",
            f"{_counted(plan.runs, 'run')} after {_counted(plan.warm_up, 'warm-up')}",
        ]
        return "; ".join([", ".join(parts), *filter(None, line)])


def _size(count: int) -> str:
    """In the unit that it was given in, most likely."""
    for unit, of_unit, least in (("MB", 10**6, 10**5), ("MiB", 2**20, 2**20), ("KiB", 2**10, 2**10)):
        if count % least == 0:
            return f"{count / of_unit:g} {unit}"
    return f"{count} bytes"


def _counted(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"
