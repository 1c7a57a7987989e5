"""One job through upload, task and download."""

from dataclasses import dataclass, replace
from pathlib import Path
from threading import BoundedSemaphore, Lock
from typing import Protocol

from facecli.client.batch.engine_checks import EngineChecks
from facecli.client.batch.input_uploads import InputUploads
from facecli.client.batch.plan import PlannedJob
from facecli.client.destination import destination
from facecli.client.downloads import DownloadClient
from facecli.client.swap import swap_key
from facecli.client.tasks import TaskClient
from facecli.client.watches.shared_watch import SharedWatch
from facecli.core.disk import flush
from facecli.core.errors import InvalidInput, UnexpectedResponse
from facecli.core.printable import escaped
from facecli.core.progress import TransferProgress
from facecli.tasks.task import TaskStatus
from facecli.tasks.view import TaskView
from facecli.uploads.upload import FileType

CREATIONS = 4  # at a time: the server looks into the video of each
DOWNLOADS = 4  # at a time


class BatchObserver(Protocol):
    """Called by many threads."""

    def transfer(self) -> TransferProgress:
        """The progress of another file."""
        ...

    def changed(self, job: PlannedJob, task: TaskView) -> None:
        """The task of a job has changed."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchOptions:
    """Times in seconds, sizes in bytes. `retry_failed` runs tasks again that had failed or been cancelled."""

    in_flight: int
    chunk_size: int
    retry_for: float
    limit_rate: int = 0
    fail_fast: bool = False
    retry_failed: bool = False


class JobRunner:
    """Runs jobs. Safe to use from many threads."""

    def __init__(
        self,
        options: BatchOptions,
        observer: BatchObserver,
        *,
        uploads: InputUploads,
        watch: SharedWatch,
        tasks: TaskClient,
        downloads: DownloadClient,
        engines: EngineChecks,
    ) -> None:
        self._options = options
        self._observer = observer
        self._uploads = uploads
        self._watch = watch
        self._tasks = tasks
        self._downloads = downloads
        self._engines = engines
        self._lock = Lock()
        self._running = dict[int, TaskView]()  # by number of the job
        self._creating = BoundedSemaphore(CREATIONS)
        self._downloading = BoundedSemaphore(DOWNLOADS)

    @property
    def running_tasks(self) -> list[str]:
        """IDs of the tasks whose results are not there yet."""
        with self._lock:
            return list(dict.fromkeys(task.id for task in self._running.values()))

    def run(self, planned: PlannedJob) -> bool:
        """Bring the result of a job to its output; whether its task had ended before.

        Raises the error that it meets. `ended` then has the task, if there is one.
        """
        job = planned.job
        engine = self._engines.engine(job)
        image_url = self._uploads.url(planned.image, FileType.IMAGE)
        video_url = self._uploads.url(planned.video, FileType.VIDEO)
        with self._creating:
            task = self._tasks.create(
                image_url=image_url,
                video_url=video_url,
                engine=job.engine,
                options=job.options,
                part=job.part,
                key=swap_key(image_url, video_url, engine, job.options, job.part, job.terms),
                terms=job.terms,
                notify=job.notify,
                priority=job.priority,
            )
        had_ended = task.ended
        if had_ended and task.status != TaskStatus.COMPLETED and self._options.retry_failed:
            task, had_ended = self._tasks.retry(task.id), False
        self._show(planned, task)
        task = self._watch.wait(task, lambda change: self._show(planned, change))
        if task.status != TaskStatus.COMPLETED:
            hint = "--retry-failed runs it again" if had_ended else ""
            raise task.unsuccessful(hint=hint)
        if not task.result_url:
            raise UnexpectedResponse(f"the server sent task {task.id} as completed without a result")
        with self._downloading:
            self._download(planned, task)
        return had_ended

    def ended(self, planned: PlannedJob) -> TaskView | None:
        """The last state of the task of a job that has ended."""
        with self._lock:
            return self._running.pop(planned.job.number, None)

    def _show(self, planned: PlannedJob, task: TaskView) -> None:
        with self._lock:
            self._running[planned.job.number] = task
        self._observer.changed(planned, task)

    def _download(self, planned: PlannedJob, task: TaskView) -> None:
        _make_directory(planned.output.parent)
        output, inputs = planned.output, (planned.job.face, planned.job.video)
        target = destination(str(output), name=output.name, inputs=inputs)
        target = replace(target, replaces=planned.overwrite)  # without it, none was there in the beginning
        self._downloads.download_to(
            task.result_url,
            target,
            retry_for=self._options.retry_for,
            progress=self._observer.transfer(),
        )


def _make_directory(path: Path) -> None:
    """Make a directory and those above it, and make their names durable."""
    if path.is_dir():
        return
    _make_directory(path.parent)
    try:
        path.mkdir(exist_ok=True)
        flush(path.parent)
    except OSError as error:
        raise InvalidInput(f"cannot make directory {escaped(str(path))}: {error.strerror}") from error
