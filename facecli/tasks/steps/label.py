"""Label: signs the joined video with a C2PA manifest, where a signer is configured."""

from pathlib import Path

from facecli.tasks.steps.run import Run


class Label:
    """Signs `run.output`, last of all that changes it; the other labels are in it already."""

    name = "labelling"
    weight = 1
    checkpoint = "signed.mp4"

    def run(self, run: Run) -> None:
        labeller, joined = run.tools.labeller, run.output
        if run.task.labels is None or labeller.signer is None:
            return
        run.reporter.started()
        run.work.check(joined)

        def sign(output: Path) -> None:
            family = run.work.plan.info.container
            labeller.sign(joined, parent=run.video, family=family, signed=output, stopped=run.stopped)

        run.output = run.work.file(self.checkpoint, sign)
