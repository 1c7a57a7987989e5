"""A task from claim to published result: the steps that a worker runs."""

import logging
import shutil
import uuid
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Protocol

from facecli.core import tasks
from facecli.core.blobs import BlobStore, present
from facecli.core.checksums import crc32c
from facecli.core.engines import Engines, Swap
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
)
from facecli.core.media import Media
from facecli.core.progress import Pace
from facecli.core.tasks import Change, Result, Task, TaskRows
from facecli.core.uploads import UploadRows

CHECK_EVERY = 0.15  # seconds between two looks at the row, while an engine works
TELL_EVERY = 0.1  # seconds between two changes of the row, while an engine works
BLOCK = 1024 * 1024  # bytes read at once for a checksum
SWAPPED = "swapped.mp4"
MOST_ATTEMPTS = 5  # of a task whose ffmpeg is killed each time, as one that does not fit into the memory

_log = logging.getLogger(__name__)


class Step(Protocol):
    """Runs a function once and keeps that it is done: after a death it is not run again."""

    def __call__(self, name: str, work: Callable[[], None]) -> None: ...


class Swapping:
    """Runs tasks for one worker. A run that lost its task stops, removes its traces and says nothing."""

    def __init__(
        self,
        *,
        worker: str,
        rows: TaskRows,
        uploads: UploadRows,
        blobs: BlobStore,
        media: Media,
        engines: Engines,
        workspace: Path,
        clock: Callable[[], float],
    ) -> None:
        self._worker = worker
        self._rows = rows
        self._uploads = uploads
        self._blobs = blobs
        self._media = media
        self._engines = engines
        self._workspace = workspace
        self._clock = clock

    def run(self, task_id: str, step: Step) -> None:
        """Bring the task to an end; return early when it is not to be run, or no longer by us."""
        run = uuid.uuid4().hex
        folder = self._workspace / task_id
        try:
            task = self._change(task_id, partial(tasks.claimed, run=run, worker=self._worker))
        except (NotReady, NotFound) as error:
            _log.info("task %s is not to be run: %s", task_id, error)
            _remove(folder)  # what a run that was killed left, before the task was cancelled
            return
        try:
            self._steps(task, folder, step)
        except (Cancelled, TakenOver) as error:
            _log.info("run %s of task %s stopped: %s", run, task_id, error)
            if self._moved_on(task):
                _remove(folder)
        except ProgramKilled as error:
            if task.attempt < MOST_ATTEMPTS:
                raise
            self._fail(task, folder, error)
        except Unavailable:
            raise
        except FacecliError as error:
            self._fail(task, folder, error)

    def _fail(self, task: Task, folder: Path, error: FacecliError) -> None:
        _log.warning("task %s failed: %s", task.id, error)
        _remove(folder)
        self._change_if_held(task.id, partial(tasks.failed, run=task.run, error=error))

    def give_up(self, task_id: str, error_id: str) -> None:
        """End a task that met a bug; the worker's log has the stack under the id."""
        error = InternalError(f"internal error {error_id}; the worker's log tells more", error_id=error_id)
        task = self._rows.get(task_id)
        if task.worker == self._worker:
            _remove(self._workspace / task_id)
            self._change_if_held(task_id, partial(tasks.failed, run=task.run, error=error))

    def _steps(self, task: Task, folder: Path, step: Step) -> None:
        swapped = folder / SWAPPED
        folder.mkdir(parents=True, exist_ok=True)
        step("swap", lambda: self._swap(task, swapped))
        if not swapped.exists():
            self._swap(task, swapped)
        self._publish(task, swapped)

    def _swap(self, task: Task, swapped: Path) -> None:
        engine = self._engines.get(task.engine)
        face, video = self._input(task.image_id), self._input(task.video_id)
        info = self._media.probe_video(video)
        watch = _Watch(self._rows, task, self._clock)
        part = swapped.with_name(f"{task.run}.part.mp4")
        try:
            engine.swap(
                Swap(
                    face=face,
                    video=video,
                    output=part,
                    info=info,
                    options=task.options,
                ),
                progress=lambda done: watch.progress(done, info.frames),
                stopped=watch.stopped,
            )
            part.replace(swapped)
        finally:
            part.unlink(missing_ok=True)

    def _input(self, upload_id: str) -> Path:
        upload = self._uploads.get(upload_id)
        with present(upload.name):
            return self._blobs.path(upload.blob_key)

    def _publish(self, task: Task, swapped: Path) -> None:
        self._change(task.id, partial(tasks.advanced, run=task.run, progress=96, stage="publishing"))
        checksum = 0
        with swapped.open("rb") as file:
            while block := file.read(BLOCK):
                checksum = crc32c(block, checksum)
        result = Result(
            blob_key=f"outputs/{task.id}/{task.run}", size=swapped.stat().st_size, crc32c=checksum
        )
        self._blobs.put(result.blob_key, swapped)
        _remove(swapped.parent)
        try:
            self._change(task.id, partial(tasks.completed, run=task.run, result=result))
        except (NotReady, TakenOver):
            self._blobs.delete(result.blob_key)
            raise

    def _change(self, task_id: str, change: Change) -> Task:
        return self._rows.change(task_id, change, now=self._clock())

    def _change_if_held(self, task_id: str, change: Change) -> None:
        try:
            self._change(task_id, change)
        except (NotReady, TakenOver) as error:
            _log.info("task %s moved on: %s", task_id, error)

    def _moved_on(self, task: Task) -> bool:
        """True when nobody needs the folder: the task has ended, rather than gone to another run."""
        return self._rows.get(task.id).ended


def _remove(folder: Path) -> None:
    """Before the row says that the task has ended: then nothing of it is left to find."""
    shutil.rmtree(folder, ignore_errors=True)


class _Watch:
    """Tells the row how far the run is, and the run whether it still has the task."""

    def __init__(self, rows: TaskRows, task: Task, clock: Callable[[], float]) -> None:
        self._rows = rows
        self._task = task
        self._clock = clock
        self._pace = Pace(TELL_EVERY, clock)
        self._looked = 0.0
        self._lost = False

    def progress(self, done: int, frames: int) -> None:
        """`done` of the `frames` of the whole video."""
        if self._lost or not self._pace.due(done, frames):
            return
        change = partial(
            tasks.advanced,
            run=self._task.run,
            progress=1 + 94 * done // frames,
            stage="swapping",
            frames_done=done,
            frames=frames,
        )
        try:
            self._rows.change(self._task.id, change, now=self._clock())
        except TakenOver:
            self._lost = True
        except (Unavailable, DiskFull) as error:
            _log.warning("progress of task %s was not recorded: %s", self._task.id, error)

    def stopped(self) -> bool:
        now = self._clock()
        if not self._lost and abs(now - self._looked) >= CHECK_EVERY:
            self._looked = now
            try:
                tasks.held(self._rows.get(self._task.id), self._task.run)
            except (TakenOver, NotFound):
                self._lost = True
            except Unavailable as error:
                _log.warning("task %s could not be looked at: %s", self._task.id, error)
        return self._lost
