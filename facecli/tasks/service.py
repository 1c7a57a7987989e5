"""Where tasks are put up, followed, cancelled, retried and deleted."""

import uuid
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from facecli.core.blobs import BlobStore, present
from facecli.core.engines import Engines
from facecli.core.errors import InvalidInput, KeyReused, NotReady, ResultMissing
from facecli.core.formats import check_name
from facecli.core.media import Media
from facecli.tasks import task as tasks
from facecli.tasks.collector import TaskCollector
from facecli.tasks.feed import TaskFeed
from facecli.tasks.queue import TaskQueue
from facecli.tasks.task import NewTask, Task, TaskRepository, TaskStatus
from facecli.tasks.task_filter import TaskFilter
from facecli.uploads.quota import Quota
from facecli.uploads.service import UploadService
from facecli.uploads.upload import FileType, Upload


class TaskService:
    """The one way to tasks. Safe to use from many threads."""

    def __init__(
        self,
        *,
        repository: TaskRepository,
        upload_service: UploadService,
        blobs: BlobStore,
        feed: TaskFeed,
        queue: TaskQueue,
        media: Media,
        engines: Engines,
        clock: Callable[[], float],
        default_engine: str,
        quota: Quota,
        collector: TaskCollector,
    ) -> None:
        self._repository = repository
        self._upload_service = upload_service
        self._blobs = blobs
        self._feed = feed
        self._queue = queue
        self._media = media
        self._engines = engines
        self._clock = clock
        self._default_engine = default_engine
        self._quota = quota
        self._collector = collector

    def create(
        self,
        *,
        owner: str,
        image_url: str,
        video_url: str,
        engine: str = "",
        options: Mapping[str, str],
        key: str | None = None,
    ) -> Task:
        """A durable task that will run; the earlier one for a key that was used with the same content.

        UploadNotFound, UploadUnfinished, MediaRefused, InvalidInput, KeyReused or QuotaReached when it
        cannot be.
        """
        new = NewTask(
            owner=owner,
            image=self._file(image_url, FileType.IMAGE, owner),
            video=self._file(video_url, FileType.VIDEO, owner),
            engine=engine or self._default_engine,
            options=dict(options),
            key=key,
        )
        self._engines.get(new.engine).check(new.options)
        check_name(new.image.name, self._media.probe_image(self._path(new.image)).format)
        check_name(new.video.name, self._media.probe_video(self._path(new.video)).container)
        task = self._repository.with_key(owner, key) if key else None
        if task is None:
            with self._quota.task(owner):
                task = self._repository.insert(new, task_id=uuid.uuid4().hex, now=self._clock())
        if not _same(task, new):
            raise KeyReused(f"the key {key} belongs to task {task.id}, which has other content")
        if not task.ended:
            self._queue.enqueue(work_id=task.work_id, task_id=task.id)
        return task

    def get(self, task_id: str, *, owner: str | None) -> Task:
        """TaskNotFound for an unknown id and for somebody else's alike; None asks for anybody's."""
        return self._repository.get(task_id, owner=owner)

    def listed(self, wanted: TaskFilter, *, owner: str, limit: int, before: str) -> Sequence[Task]:
        """Newest first; InvalidInput for a status that does not exist."""
        if wanted.status and wanted.status not in set(TaskStatus):
            raise InvalidInput(f"there is no status {wanted.status!r}; there are {', '.join(TaskStatus)}")
        return self._repository.listed(owner, wanted, limit=limit, before=before)

    def watch(self, task_id: str, changed: Callable[[Task], None], *, owner: str) -> Callable[[], None]:
        """As `TaskFeed.watch`; TaskNotFound also for somebody else's task."""
        self.get(task_id, owner=owner)
        return self._feed.watch(task_id, changed)

    def cancel(self, task_id: str, *, owner: str) -> Task:
        """TaskEnded when it has ended, except that cancelling twice is harmless."""
        task = self.get(task_id, owner=owner)
        if task.status is TaskStatus.CANCELLED:
            return task
        return self._repository.change(task.id, tasks.cancelled, now=self._clock())

    def retry(self, task_id: str, *, owner: str) -> Task:
        """Run a failed or cancelled task again; QuotaReached when the user has too many that wait."""
        tasks.retried(self.get(task_id, owner=owner))
        with self._quota.task(owner):
            task = self._repository.change(task_id, tasks.retried, now=self._clock())
        self._queue.enqueue(work_id=task.work_id, task_id=task.id)
        return task

    def result(self, task_id: str, *, owner: str | None) -> tasks.Result:
        """ResultMissing while there is none."""
        task = self.get(task_id, owner=owner)
        if task.result is None:
            raise ResultMissing(f"task {task_id} is {task.status} and has no result")
        return task.result

    def delete(self, task_id: str, *, owner: str) -> None:
        """Forget an ended task and its result; NotReady while it has not ended."""
        task = self.get(task_id, owner=owner)
        if not task.ended or not self._collector.remove(task):
            now = self.get(task_id, owner=owner).status
            raise NotReady(f"task {task_id} is {now}; facecli task cancel ends it, then it can be deleted")

    def _file(self, url: str, kind: FileType, owner: str) -> Upload:
        upload = self._upload_service.file(url, owner=owner)
        if upload.file_type is not kind:
            raise InvalidInput(f"{upload.name} was uploaded as {upload.file_type}; a task wants it as {kind}")
        return upload

    def _path(self, upload: Upload) -> Path:
        with present(f"{upload.name} (facecli upload --no-resume sends them again)"):
            return self._blobs.local_copy(upload.blob_key)


def _same(task: Task, new: NewTask) -> bool:
    return (task.image_id, task.video_id, task.engine, dict(task.options)) == (
        new.image.id,
        new.video.id,
        new.engine,
        dict(new.options),
    )
