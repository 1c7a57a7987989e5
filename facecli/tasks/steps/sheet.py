"""Sheet: composes the contact sheet of the output, some frames before and after."""

import logging
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from facecli.core.errors import MediaRefused
from facecli.core.video.sheet import Comparison, of_result
from facecli.tasks.steps.run import Run

SHEET = "sheet.jpg"

_log = logging.getLogger(__name__)


class Sheet:
    """Writes the sheet for `Publish`. A sheet that cannot be made never fails a task whose output is made."""

    name = "comparing"
    weight = 1
    checkpoint = SHEET

    def run(self, run: Run) -> None:
        run.reporter.started()
        try:
            run.sheet = run.work.file(self.checkpoint, partial(_make, run), shared=False)
        except MediaRefused as error:
            _log.warning("no contact sheet", extra={"task": run.task.id, "error": error.message})


def compose(run: Run, comparisons: Sequence[Comparison]) -> None:
    """Write the sheet aside."""
    output = run.work.folder / SHEET
    run.tools.media.compose_sheet(run.work.plan.info, comparisons, output, stopped=run.stopped)


def _make(run: Run, _: Path) -> None:
    if run.composed:
        run.composed.result()
    else:
        compose(run, list(of_result(run.video, run.output, run.work.plan, kept=run.work.folder)))
