"""The plan of an engine that prepares for the whole video: made once, and kept as a checkpoint."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from facecli.core.video.engines import PrepareJob, PreparingEngine
from facecli.tasks.steps.run import Run
from facecli.tasks.time_limits import Deadline, within

ENGINE_PLAN = "engine.json"


def prepared(run: Run, engine: PreparingEngine) -> Mapping[str, Any]:
    """Have the engine prepare."""
    task = run.task
    job = PrepareJob(
        face=run.face, video=run.video, info=run.work.plan.info, options=task.options, files=run.files
    )
    deadline = Deadline(run.limits.segment, subject="preparing", setting="segment_timeout")
    with within(run.stopped, deadline) as stopped:
        return engine.prepare(job, stopped=stopped)


def engine_plan(run: Run) -> Mapping[str, Any]:
    """Return what the engine prepared, in this attempt or an earlier one; empty if it prepares nothing."""
    engine = run.engine
    if not isinstance(engine, PreparingEngine):
        return {}

    def prepare(output: Path) -> None:
        plan = run.prepared.result() if run.prepared else prepared(run, engine)
        output.write_text(json.dumps(plan))

    plan: Mapping[str, Any] = json.loads(run.work.file(ENGINE_PLAN, prepare).read_text())
    return plan
