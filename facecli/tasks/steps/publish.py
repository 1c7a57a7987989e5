"""Publish: verifies the output and its contact sheet, and stores them as the files of the task."""

from functools import partial
from pathlib import Path

from facecli.core.checksums import crc32c_of
from facecli.core.errors import NotFound, QuotaReached, TakenOver
from facecli.core.video.engines import WeighedEngine
from facecli.tasks import transitions
from facecli.tasks.provenance.record import RecordedFile, provenance_record, sha256_of
from facecli.tasks.steps.run import Run
from facecli.tasks.task import Result


class Publish:
    """Stores output and contact sheet as blobs, completes the task, then deletes the task's checkpoints.

    A result that the owner's quota has no room for fails the task; its segments stay for a retry.
    """

    name = "publishing"
    weight = 2
    checkpoint = None

    def run(self, run: Run) -> None:
        task, tasks, blobs = run.task, run.tools.tasks, run.tools.blobs
        run.reporter.started()
        key = f"outputs/{task.id}/{task.run}"
        result = _verified(run, run.output, key)
        sheet = _verified(run, run.sheet, f"{key}.sheet") if run.sheet else None
        run.verify_inputs()
        record = _record(run)
        blobs.put(result.blob_key, run.output)
        if run.sheet and sheet:
            blobs.put(sheet.blob_key, run.sheet)
        run.log.flush()
        try:
            version = str(run.engine.version)
            complete = partial(
                transitions.complete, run=task.run, result=result, sheet=sheet, engine_version=version
            )
            tasks.change(task.id, complete, max_stored=run.limits.stored, record=record)
        except (NotFound, QuotaReached, TakenOver):
            for file in filter(None, (result, sheet)):
                blobs.delete(file.blob_key)
            raise
        run.checkpoints.delete()


def _verified(run: Run, path: Path, key: str) -> Result:
    """Return a checkpoint file as what will be stored under this key, once its bytes are compared."""
    with path.open("rb") as file:
        checksum = crc32c_of(file)
    run.work.compare(path, checksum)
    return Result(blob_key=key, size=path.stat().st_size, crc32c=checksum)


def _record(run: Run) -> str:
    """The provenance record of the result."""
    engine, task = run.engine, run.task
    return provenance_record(
        task,
        now=run.tools.tasks.clock(),
        engine_version=str(engine.version),
        weights=engine.weights() if isinstance(engine, WeighedEngine) else {},
        inputs=[
            RecordedFile(
                role=role,
                size=path.stat().st_size,
                sha256=sha256_of(path),
                upload_id=upload.id,
                name=upload.name,
            )
            for role, upload, path in run.recorded_inputs()
        ],
        output=RecordedFile(role="result", size=run.output.stat().st_size, sha256=sha256_of(run.output)),
        signer=run.tools.labeller.signer if task.labels else None,
    )
