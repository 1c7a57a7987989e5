"""Join: joins the swapped segments and the original sound to one video, with its implicit label.

Where frames were kept for the contact sheet, it is composed at the same time.
"""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from facecli.core.errors import MediaRefused
from facecli.core.labels import aigc
from facecli.core.video.sheet import all_kept
from facecli.tasks.provenance.record import implicit_entry
from facecli.tasks.steps.run import Run
from facecli.tasks.steps.sheet import SHEET, compose


class Join:
    """Joins the segments to `run.output`. The label goes into the same file, without another pass over it."""

    name = "joining"
    weight = 1
    checkpoint = "joined.mp4"

    def run(self, run: Run) -> None:
        plan = run.work.plan
        run.reporter.started(frames=plan.frames)
        for part in (run.sound, *run.parts):
            run.work.check(part)

        def join(output: Path) -> None:
            run.tools.media.join(
                parts=run.parts,
                sound=run.sound,
                plan=plan,
                output=output,
                metadata=_metadata(run),
                stopped=run.stopped,
            )

        with ThreadPoolExecutor(1, "sheet") as thread:
            if not run.work.has(SHEET) and (kept := all_kept(plan, run.work.folder)):
                run.composed = thread.submit(compose, run, kept)
            run.output = run.work.file(self.checkpoint, join, shared=False)


def _metadata(run: Run) -> Mapping[str, str]:
    """The implicit label of the result, beside that of the video."""
    if run.task.labels is None:
        return {}
    try:
        of_input = run.tools.labeller.input_entry(run.video, stopped=run.stopped)
    except MediaRefused:  # the metadata alone cannot be read
        of_input = None
    return aigc.metadata(implicit_entry(run.task.id, run.task.labels), of_input=of_input)
