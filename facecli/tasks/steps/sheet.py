"""Sheet: composes the contact sheet of the output, some frames before and after."""

import logging
from functools import partial
from pathlib import Path

from facecli.core.errors import MediaRefused
from facecli.core.video.sheet import of_result
from facecli.tasks.steps.run import Run

_log = logging.getLogger(__name__)


class Sheet:
    """Writes the sheet for `Publish`. A sheet that cannot be made never fails a task whose output is made."""

    name = "comparing"
    weight = 1
    checkpoint = "sheet.jpg"

    def run(self, run: Run) -> None:
        run.reporter.started()
        try:
            run.sheet = run.work.file(self.checkpoint, partial(_compose, run), shared=False)
        except MediaRefused as error:
            _log.warning("no contact sheet", extra={"task": run.task.id, "error": error.message})


def _compose(run: Run, output: Path) -> None:
    plan = run.work.plan
    comparisons = list(of_result(run.video, run.output, plan, kept=run.work.folder))
    run.tools.media.compose_sheet(plan.info, comparisons, output, stopped=run.stopped)
