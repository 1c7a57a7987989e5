"""Sound: extracts the sound of the video, before any frame is swapped, while the engine prepares."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from facecli.core.video.engines import PreparingEngine
from facecli.tasks import transitions
from facecli.tasks.steps.engine_plan import ENGINE_PLAN, prepared
from facecli.tasks.steps.run import Run


class Sound:
    """Writes the sound tracks to a file for `Join`, and notes in the task what cannot be kept."""

    name = "extracting"
    weight = 1
    checkpoint = "sound.mp4"

    def run(self, run: Run) -> None:
        run.reporter.started()
        with ThreadPoolExecutor(1, "prepare") as thread:
            if isinstance(run.engine, PreparingEngine) and not run.work.has(ENGINE_PLAN):
                run.prepared = thread.submit(prepared, run, run.engine)
            run.sound = run.work.file(self.checkpoint, partial(_extract, run))


def _extract(run: Run, output: Path) -> None:
    notes = run.tools.media.extract_sound(run.video, run.work.plan, output, stopped=run.stopped)
    # Before the file becomes a checkpoint: a run that finds it does not repeat the notes.
    run.tools.tasks.change(run.task.id, partial(transitions.note, run=run.task.run, notes=notes))
