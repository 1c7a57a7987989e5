"""Probe: verifies the inputs and plans the segments of the video."""

from dataclasses import asdict

from facecli import __version__
from facecli.tasks.steps.run import Run


class Probe:
    """Compares the inputs with their checksums, then reads the video once and divides it into segments."""

    name = "starting"
    weight = 1
    checkpoint = "plan.json"

    def run(self, run: Run) -> None:
        run.verify_inputs()
        media, task = run.tools.media, run.task
        recipe = {
            "facecli": __version__,
            "media": media.version(),
            "engine": [task.engine, run.engine.version],
            "inputs": [task.image_id, task.video_id],
            "options": dict(task.options),
            "part": [task.part.start, task.part.end],
            "labels": asdict(task.labels) if task.labels else None,
        }
        run.work = run.checkpoints.plan(
            self.checkpoint, recipe, lambda: media.plan(run.video, part=task.part)
        )
