"""Publish: verifies the output and stores it as the result of the task."""

from functools import partial

from facecli.core.checksums import crc32c_of
from facecli.core.errors import NotFound, QuotaReached, TakenOver
from facecli.tasks import transitions
from facecli.tasks.steps.run import Run
from facecli.tasks.task import Result


class Publish:
    """Stores the output as a blob, completes the task, then deletes the task's checkpoints.

    A result that the owner's quota has no room for fails the task; its segments stay for a retry.
    """

    name = "publishing"
    weight = 3
    checkpoint = None

    def run(self, run: Run) -> None:
        task, tasks, blobs = run.task, run.tools.tasks, run.tools.blobs
        run.reporter.started()
        with run.output.open("rb") as file:
            checksum = crc32c_of(file)
        run.work.compare(run.output, checksum)
        run.verify_inputs()
        size = run.output.stat().st_size
        result = Result(blob_key=f"outputs/{task.id}/{task.run}", size=size, crc32c=checksum)
        blobs.put(result.blob_key, run.output)
        run.log.flush()
        try:
            version = str(run.engine.version)
            complete = partial(transitions.complete, run=task.run, result=result, engine_version=version)
            tasks.change(task.id, complete, max_stored=run.limits.stored)
        except (NotFound, QuotaReached, TakenOver):
            blobs.delete(result.blob_key)
            raise
        run.checkpoints.delete()
