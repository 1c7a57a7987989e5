"""Join: joins the swapped segments and the original sound to one video."""

from pathlib import Path

from facecli.tasks.steps.run import Run


class Join:
    """Joins the segments to `run.output`."""

    name = "joining"
    weight = 2
    checkpoint = "joined.mp4"

    def run(self, run: Run) -> None:
        plan = run.work.plan
        run.reporter.started(frames=plan.frames)
        for part in (run.sound, *run.parts):
            run.work.check(part)

        def join(output: Path) -> None:
            run.tools.media.join(
                parts=run.parts, sound=run.sound, plan=plan, output=output, stopped=run.stopped
            )

        run.output = run.work.file(self.checkpoint, join, shared=False)
