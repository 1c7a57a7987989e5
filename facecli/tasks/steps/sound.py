"""Sound: extracts the sound of the video, before any frame is swapped."""

from functools import partial
from pathlib import Path

from facecli.tasks import transitions
from facecli.tasks.steps.run import Run


class Sound:
    """Writes the sound tracks to a file for `Join`, and notes in the task what cannot be kept."""

    name = "extracting"
    weight = 1
    checkpoint = "sound.mp4"

    def run(self, run: Run) -> None:
        run.reporter.started()
        run.sound = run.work.file(self.checkpoint, partial(_extract, run))


def _extract(run: Run, output: Path) -> None:
    notes = run.tools.media.extract_sound(run.video, run.work.plan, output, stopped=run.stopped)
    # Before the file becomes a checkpoint: a run that finds it does not repeat the notes.
    run.tools.tasks.change(run.task.id, partial(transitions.note, run=run.task.run, notes=notes))
