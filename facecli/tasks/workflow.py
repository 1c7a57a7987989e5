"""TaskWorkflow: runs a task from its claim to its published result.

Theory of operation. A task is the list of steps in `STEPS`. A run claims the task, then runs the steps in
order; after an interruption the next run skips the work whose checkpoint exists. A run that has lost its task
(cancelled, or claimed by another run) is fenced off by the task's row: it stops, deletes its partial files
and records nothing. Errors end the task, with three exceptions: Unavailable and DiskFull are raised, and the
caller runs the same claim again after backoff; a killed ffmpeg counts as a crash, and fails the task only
after `max_crashes` without a finished checkpoint in between. StoredBytesDamaged is Unavailable, and ends the
task: waiting does not help.

To add a step, write a class with name, weight and checkpoint (see `steps/step.py`) and list it in `STEPS`.
Percentages follow from the weights.
"""

import logging
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

from facecli.core.blobs import present
from facecli.core.damage import StoredBytesDamaged
from facecli.core.errors import (
    Cancelled,
    DiskFull,
    FacecliError,
    InternalError,
    NotFound,
    NotReady,
    ProgramKilled,
    TakenOver,
    Unavailable,
    UploadUnfinished,
)
from facecli.core.video.engines import named_files
from facecli.tasks import claims, transitions
from facecli.tasks.checkpoints.checkpoints import Checkpoints
from facecli.tasks.checkpoints.shared import SharedCheckpoints
from facecli.tasks.claims import Claim
from facecli.tasks.logs.exceptions import summary
from facecli.tasks.logs.run_log import RunLog
from facecli.tasks.progress_reporter import ProgressReporter
from facecli.tasks.steps.join import Join
from facecli.tasks.steps.label import Label
from facecli.tasks.steps.probe import Probe
from facecli.tasks.steps.publish import Publish
from facecli.tasks.steps.run import Run, Tools
from facecli.tasks.steps.sheet import Sheet
from facecli.tasks.steps.sound import Sound
from facecli.tasks.steps.step import Step
from facecli.tasks.steps.swap import Swap
from facecli.tasks.task import Task, TaskStatus
from facecli.tasks.time_limits import AttemptLimits, Deadline, within
from facecli.telemetry.logs import add_fields
from facecli.telemetry.traces.spans import NO_TRACER, Span, Tracer, recorded
from facecli.uploads.stored_file import StoredFile
from facecli.uploads.upload import upload_id_of

STEPS: Sequence[Step] = (Probe(), Sound(), Swap(), Join(), Label(), Sheet(), Publish())

_log = logging.getLogger(__name__)


class TaskWorkflow:
    """Runs tasks for one worker."""

    def __init__(
        self,
        tools: Tools,
        *,
        workspace: Path,
        limits: AttemptLimits,
        steps: Sequence[Step] = STEPS,
        tracer: Tracer = NO_TRACER,
    ) -> None:
        self._tracer = tracer
        self._tools = tools
        self._tasks = tools.tasks
        self._workspace = workspace
        self._limits = limits
        self._steps = steps

    def run(self, task_id: str, claim: Claim, log: RunLog) -> None:
        """Run the task to its end; return early when it must not be run, or another run holds it.

        Unavailable or DiskFull when the run has to wait: the claim still holds the task; run it again.
        """
        checkpoints = self._checkpoints(task_id, claim, log)
        try:
            task = claim.take(self._tasks, task_id)
        except (NotReady, NotFound, TakenOver) as error:
            _log.info("task skipped", extra={"task": task_id, "error": error.message})
            self._trim(task_id, checkpoints)  # files of a run that was killed before the task ended
            return
        add_fields(request=task.origin.request_id)
        try:
            with recorded(self._tracer.start("run task", **_place_of(task))) as span:
                self._run_steps(task, checkpoints, log, span)
        except StoredBytesDamaged as error:
            self._fail(task, checkpoints, log, error)
        except (Cancelled, TakenOver) as error:
            # If this run still holds the task, the engine raised this without having been asked to stop.
            stopped = FacecliError(f"engine {task.engine} stopped by itself: {error}")
            self._fail(task, checkpoints, log, stopped)
        except FileNotFoundError as error:
            # A newer run has deleted the partial files of this one.
            gone = Unavailable(f"a file of task {task.id} is gone: {error}")
            self._record_crash(task, checkpoints, log, gone)
        except ProgramKilled as error:
            self._record_crash(task, checkpoints, log, error)
        except DiskFull:
            checkpoints.discard_partial()  # to free the space that the run waits for
            raise
        except Unavailable:
            raise
        except FacecliError as error:
            self._fail(task, checkpoints, log, error)

    def fail_with_bug(self, task_id: str, claim: Claim, log: RunLog, error_id: str) -> None:
        """Fail a task whose run hit a bug; the worker's log has the stack trace under `error_id`."""
        text = f"internal error {error_id}; see facecli task logs, or the worker's log for the full stack"
        error = InternalError(text, error_id=error_id)
        try:
            task = transitions.check_held(self._tasks.repository.get(task_id), claim.run)
        except (NotFound, TakenOver) as lost:
            _log.info("task skipped", extra={"task": task_id, "error": lost.message})
        else:
            self._fail(task, self._checkpoints(task_id, claim, log), log, error)

    def _checkpoints(self, task_id: str, claim: Claim, log: RunLog) -> Checkpoints:
        def reset_crashes() -> None:
            # Before the checkpoint is visible: a worker killed right after it has already recorded progress.
            try:
                self._tasks.change(task_id, partial(claims.reset_crashes, run=claim.run))
                log.flush_if_due()
            except (Unavailable, DiskFull) as error:
                fields = {"task": task_id, "error": error.message}
                _log.warning("crash count was not reset", extra=fields)

        shared = SharedCheckpoints(self._tools.blobs, task_id)
        return Checkpoints(self._workspace / task_id, run=claim.run, finishing=reset_crashes, shared=shared)

    def _run_steps(self, task: Task, checkpoints: Checkpoints, log: RunLog, span: Span) -> None:
        checkpoints.prepare()
        engine = self._tools.engines.get(task.engine)
        named = {name: upload_id_of(url) for name, url in named_files(engine, task.options).items()}
        total_weight = sum(step.weight for step in self._steps)
        reporter = ProgressReporter(self._tasks, task, total_weight=total_weight, log=log)
        deadline = Deadline(self._limits.task, subject="the task", setting="task_timeout")
        with within(reporter.stopped, deadline) as stopped, ExitStack() as copies:
            ids = (task.image_id, task.video_id, *named.values())
            inputs = [self._input(each, copies, stopped) for each in ids]
            face, video, *others = (stored.path for stored in inputs)
            run = Run(
                tools=self._tools,
                task=task,
                engine=engine,
                face=face,
                video=video,
                files=dict(zip(named, others, strict=True)),
                inputs=inputs,
                limits=self._limits,
                checkpoints=checkpoints,
                reporter=reporter,
                log=log,
                stopped=stopped,
            )
            try:
                for step in self._steps:
                    reporter.enter(step.name, weight=step.weight)
                    began = time.perf_counter()
                    try:
                        step.run(run)
                    finally:
                        span.part(step.name, began=began, ended=time.perf_counter())
            except (Cancelled, TakenOver, Unavailable, DiskFull):
                raise
            except FacecliError:
                run.verify_inputs(reread=True)  # blame a damaged input on the store, not on its owner
                raise

    def _input(self, upload_id: str, copies: ExitStack, stopped: Callable[[], bool]) -> StoredFile:
        """An input on this machine, which `copies` keeps there."""
        upload = self._tools.uploads.get(upload_id)
        if not upload.completed:  # an integrity check found bytes missing
            raise UploadUnfinished(f"{upload.name} is not complete; upload the same file again, then retry")
        with present(f"upload {upload_id}"):
            copy = self._tools.blobs.local_copy(upload.blob_key, stopped=stopped)
            return StoredFile(upload, copies.enter_context(copy))

    def _record_crash(self, task: Task, checkpoints: Checkpoints, log: RunLog, error: Unavailable) -> None:
        """Count a crash, and raise the error so that the task runs again, unless it was the last allowed."""
        log.add(level="error", logger=__name__, text=f"attempt failed: {summary(error)}{_about(task)}")
        log.flush()
        change = partial(claims.record_crash, run=task.run, max_crashes=self._limits.max_crashes, error=error)
        try:
            crashed = self._tasks.change(task.id, change)
        except (NotFound, TakenOver) as lost:
            self._stop(task, checkpoints, lost)
            return
        if not crashed.ended:
            raise error
        self._trim(task.id, checkpoints)

    def _fail(self, task: Task, checkpoints: Checkpoints, log: RunLog, error: FacecliError) -> None:
        """Fail the task; its partial files are deleted first, so that no ended task has any."""
        try:
            transitions.check_held(self._tasks.repository.get(task.id), task.run)
            checkpoints.trim()
            log.add(level="error", logger=__name__, text=f"task failed: {summary(error)}{_about(task)}")
            log.flush()
            self._tasks.change(task.id, partial(transitions.fail, run=task.run, error=error))
        except (NotFound, TakenOver) as lost:
            self._stop(task, checkpoints, lost)

    def _stop(self, task: Task, checkpoints: Checkpoints, error: FacecliError) -> None:
        checkpoints.discard_partial()
        self._trim(task.id, checkpoints)
        _log.info("run stopped", extra={"task": task.id, "run": task.run, "error": error.message})

    def _trim(self, task_id: str, checkpoints: Checkpoints) -> None:
        """Delete unused checkpoints: a failed or cancelled task keeps its segments for a retry."""
        try:
            task = self._tasks.repository.get(task_id)
        except NotFound:
            task = None
        if task is None or task.status is TaskStatus.COMPLETED:
            checkpoints.delete()
        elif task.ended:
            checkpoints.trim()


def _about(task: Task) -> str:
    """The request of a task, as the last word of a record of its failure."""
    return f" request={task.origin.request_id}" if task.origin.request_id else ""


def _place_of(task: Task) -> dict[str, Any]:
    """The span of an attempt is in the trace of the call that created the task."""
    origin = task.origin
    about = {"task": task.id, "request": origin.request_id, "engine": task.engine, "attempt": task.attempt}
    return {"parent": origin.traceparent, **about}
