"""A task from claim to published result: the steps that a worker runs."""

import logging
from collections.abc import Callable
from functools import partial
from pathlib import Path

from facecli import __version__
from facecli.core.blobs import BlobStore, present
from facecli.core.checksums import crc32c_of
from facecli.core.engines import Engine, Engines, Swap
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
from facecli.core.media import Media, Segment, VideoInfo
from facecli.tasks import checkpoints as checkpoints
from facecli.tasks import claims
from facecli.tasks import task as tasks
from facecli.tasks.checkpoints import Checkpoints
from facecli.tasks.claims import Claim
from facecli.tasks.reporter import JOINING, ProgressReporter
from facecli.tasks.task import Change, Result, Task, TaskRepository, TaskStatus
from facecli.tasks.time_limits import AttemptLimits, Deadline, within
from facecli.uploads.repository import UploadRepository

_log = logging.getLogger(__name__)


class TaskWorkflow:
    """Runs tasks for one worker. A run that lost its task stops, removes its traces and says nothing."""

    def __init__(
        self,
        *,
        repository: TaskRepository,
        uploads: UploadRepository,
        blobs: BlobStore,
        media: Media,
        engines: Engines,
        workspace: Path,
        clock: Callable[[], float],
        limits: AttemptLimits,
    ) -> None:
        self._repository = repository
        self._uploads = uploads
        self._blobs = blobs
        self._media = media
        self._engines = engines
        self._workspace = workspace
        self._clock = clock
        self._limits = limits

    def run(self, task_id: str, claim: Claim) -> None:
        """Bring the task to an end; return early when it is not to be run, or no longer by us.

        Unavailable or DiskFull when it has to wait: then it is ours, and to be run again.
        """
        kept = Checkpoints(self._workspace / task_id, run=claim.run)
        try:
            task = claim.take(self._repository, task_id, now=self._clock())
        except (NotReady, NotFound, TakenOver) as error:
            _log.info("task %s is not to be run: %s", task_id, error)
            self._tidy(task_id, kept)  # what a run that was killed left, before the task ended
            return
        try:
            self._steps(task, kept)
        except (Cancelled, TakenOver) as error:
            # Not when the task is still ours: then the engine says so, and nobody asked it to stop.
            self._fail(task, kept, FacecliError(f"engine {task.engine} stopped by itself: {error}"))
        except FileNotFoundError as error:
            # A newer run clears the half files of this one away.
            self._strike(task, kept, Unavailable(f"a file of task {task.id} is gone: {error}"))
        except ProgramKilled as error:
            self._strike(task, kept, error)
        except DiskFull:
            kept.leave()  # a half file only takes the room that is waited for
            raise
        except Unavailable:
            raise
        except FacecliError as error:
            self._fail(task, kept, error)

    def give_up(self, task_id: str, claim: Claim, error_id: str) -> None:
        """End a task that met a bug; the worker's log has the stack under the id."""
        error = InternalError(f"internal error {error_id}; the worker's log tells more", error_id=error_id)
        try:
            task = tasks.held(self._repository.get(task_id), claim.run)
        except (NotFound, TakenOver) as lost:
            _log.info("task %s moved on: %s", task_id, lost)
        else:
            self._fail(task, Checkpoints(self._workspace / task_id, run=claim.run), error)

    def _stop(self, task: Task, kept: Checkpoints, error: FacecliError) -> None:
        kept.leave()
        self._tidy(task.id, kept)
        _log.info("run %s of task %s stopped: %s", task.run, task.id, error)

    def _strike(self, task: Task, kept: Checkpoints, error: Unavailable) -> None:
        """Begin again, unless this was the last of so many crashes, or another run has the task."""
        change = partial(claims.record_crash, run=task.run, most=self._limits.max_crashes, error=error)
        try:
            record_crash = self._change(task.id, change)
        except (NotFound, TakenOver) as lost:
            self._stop(task, kept, lost)
            return
        if not record_crash.ended:
            raise error
        _log.warning("task %s failed: %s", task.id, error)
        self._tidy(task.id, kept)

    def _fail(self, task: Task, kept: Checkpoints, error: FacecliError) -> None:
        """Half files go before the row says that the task has ended: then none is left to find."""
        try:
            tasks.held(self._repository.get(task.id), task.run)
            kept.tidy()
            self._change(task.id, partial(tasks.failed, run=task.run, error=error))
        except (NotFound, TakenOver) as lost:
            self._stop(task, kept, lost)
        else:
            _log.warning("task %s failed: %s", task.id, error)

    def _tidy(self, task_id: str, kept: Checkpoints) -> None:
        """A retry goes on from the segments of a failed or cancelled task; a completed one needs none."""
        try:
            task = self._repository.get(task_id)
        except NotFound:
            task = None
        if task is None or task.status is TaskStatus.COMPLETED:
            checkpoints.remove(self._workspace / task_id)
        elif task.ended:
            kept.tidy()

    def _steps(self, task: Task, kept: Checkpoints) -> None:
        """Probe and plan, swap each segment, join, publish. What is kept is not done again."""
        kept.begin()
        face, video = self._input(task.image_id), self._input(task.video_id)
        engine = self._engines.get(task.engine)
        watch = ProgressReporter(self._repository, task, self._clock)
        limit = Deadline(self._limits.task, what="the task", setting="task_timeout")
        made_with = {
            "facecli": __version__,
            "media": self._media.version(),
            "engine": [task.engine, engine.version],
            "inputs": [task.image_id, task.video_id],
            "options": dict(task.options),
        }
        work = kept.plan(made_with, lambda: self._media.plan(video))
        plan = work.plan
        with within(watch.stopped, limit) as stopped:
            parts = [
                work.segment(
                    segment,
                    partial(self._swap, task, engine, watch, stopped, face, video, plan.info, segment),
                )
                for segment in plan.segments
            ]
            watch.stage("joining", JOINING, plan.info.frames, plan.info.frames)
            joined = work.joined(
                lambda output: self._media.join(
                    video=video, parts=parts, plan=plan, output=output, stopped=stopped
                )
            )
        self._publish(task, joined)

    def _swap(
        self,
        task: Task,
        engine: Engine,
        watch: ProgressReporter,
        stopped: Callable[[], bool],
        face: Path,
        video: Path,
        info: VideoInfo,
        segment: Segment,
        output: Path,
    ) -> None:
        limit = Deadline(self._limits.segment, what="a segment", setting="segment_timeout")
        with within(stopped, limit) as segment_stopped:
            engine.swap(
                Swap(face=face, video=video, segment=segment, output=output, info=info, options=task.options),
                progress=lambda done: watch.frames(segment.before + done, info.frames),
                stopped=segment_stopped,
            )
        frames = self._media.count_frames(output)
        if frames != segment.frames and frames != self._media.count_shown(video, segment, info):
            raise FacecliError(
                f"engine {task.engine} wrote {frames} frames for segment {segment.index}, "
                f"which has {segment.frames}"
            )

    def _input(self, upload_id: str) -> Path:
        upload = self._uploads.get(upload_id)
        if not upload.completed:  # any more, because the disk has lost some of it
            raise UploadUnfinished(f"{upload.name} is not complete; upload the same file again, then retry")
        with present(f"upload {upload_id}"):
            return self._blobs.local_copy(upload.blob_key)

    def _publish(self, task: Task, joined: Path) -> None:
        self._change(task.id, partial(tasks.advanced, run=task.run, progress=JOINING + 2, stage="publishing"))
        with joined.open("rb") as file:
            checksum = crc32c_of(file)
        result = Result(blob_key=f"outputs/{task.id}/{task.run}", size=joined.stat().st_size, crc32c=checksum)
        self._blobs.put(result.blob_key, joined)
        try:
            self._change(task.id, partial(tasks.completed, run=task.run, result=result))
        except (NotFound, TakenOver):
            self._blobs.delete(result.blob_key)
            raise
        checkpoints.remove(self._workspace / task.id)
        _log.info("task %s is complete", task.id)

    def _change(self, task_id: str, change: Change) -> Task:
        return self._repository.change(task_id, change, now=self._clock())
