"""Where tasks are put up, followed, cancelled, retried, and taken back from the dead."""

import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

from facecli.core import tasks
from facecli.core.blobs import BlobStore, present
from facecli.core.engines import Engines
from facecli.core.errors import InvalidInput, KeyReused, ResultMissing, TaskNotFound
from facecli.core.inbox import Inbox
from facecli.core.media import Media
from facecli.core.tasks import NewTask, Task, TaskFeed, TaskQueue, TaskRows, TaskStatus
from facecli.core.uploads import FileType, Upload


class TaskBoard:
    """The one way to tasks. Safe to use from many threads."""

    def __init__(
        self,
        *,
        rows: TaskRows,
        inbox: Inbox,
        blobs: BlobStore,
        feed: TaskFeed,
        queue: TaskQueue,
        media: Media,
        engines: Engines,
        clock: Callable[[], float],
        default_engine: str,
    ) -> None:
        self._rows = rows
        self._inbox = inbox
        self._blobs = blobs
        self._feed = feed
        self._queue = queue
        self._media = media
        self._engines = engines
        self._clock = clock
        self._default_engine = default_engine

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

        UploadNotFound, UploadUnfinished, MediaRefused, InvalidInput or KeyReused when it cannot be.
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
        self._media.probe_image(self._path(new.image))
        self._media.probe_video(self._path(new.video))
        task = self._rows.insert(new, task_id=uuid.uuid4().hex, now=self._clock())
        if not _same(task, new):
            raise KeyReused(f"the key {key} belongs to task {task.id}, which has other content")
        if not task.ended:
            self._queue.enqueue(work_id=task.work_id, task_id=task.id)
        return task

    def get(self, task_id: str, *, owner: str | None) -> Task:
        """TaskNotFound for an unknown id and for somebody else's alike; None asks for anybody's."""
        return self._rows.get(task_id, owner=owner)

    def listed(self, *, owner: str, status: str, limit: int, before: str) -> Sequence[Task]:
        wanted = None
        if status:
            try:
                wanted = TaskStatus(status)
            except ValueError:
                raise InvalidInput(
                    f"there is no status {status!r}; there are {', '.join(TaskStatus)}"
                ) from None
        return self._rows.listed(owner, status=wanted, limit=limit, before=before)

    def follow(self, task_id: str, *, owner: str, after: int, stopped: Callable[[], bool]) -> Iterator[Task]:
        """The task at every revision above `after` that is seen, until it has ended."""
        self.get(task_id, owner=owner)
        return self._feed.follow(task_id, after=after, stopped=stopped)

    def cancel(self, task_id: str, *, owner: str) -> Task:
        """TaskEnded when it has ended, except that cancelling twice is harmless."""
        task = self.get(task_id, owner=owner)
        if task.status is TaskStatus.CANCELLED:
            return task
        return self._rows.change(task.id, tasks.cancelled, now=self._clock())

    def retry(self, task_id: str, *, owner: str) -> Task:
        """Run a failed or cancelled task again."""
        self.get(task_id, owner=owner)
        task = self._rows.change(task_id, tasks.retried, now=self._clock())
        self._queue.enqueue(work_id=task.work_id, task_id=task.id)
        return task

    def result(self, task_id: str, *, owner: str | None) -> tasks.Result:
        """ResultMissing while there is none."""
        task = self.get(task_id, owner=owner)
        if task.result is None:
            raise ResultMissing(f"task {task_id} is {task.status} and has no result")
        return task.result

    def release(self, worker: str) -> None:
        """Give back what a dead worker held."""
        for task in self._rows.with_status(TaskStatus.PROCESSING):
            if task.worker == worker:
                self._rows.change(task.id, partial(tasks.released, run=task.run), now=self._clock())
        self._queue.recover(worker)

    def recover(self, prefix: str) -> None:
        """Before any worker starts: release what workers called `prefix…` held, enqueue what is pending."""
        held = {task.worker for task in self._rows.with_status(TaskStatus.PROCESSING)}
        for worker in sorted(held | self._queue.holders()):
            if worker.startswith(prefix):
                self.release(worker)
        for task in self._rows.with_status(TaskStatus.PENDING):
            self._queue.enqueue(work_id=task.work_id, task_id=task.id)

    def sweep(self) -> int:
        """Remove results that no row knows, left by a death between two steps. Only before serving.

        A task that is processing may be about to publish, from a worker of its own; it keeps all.
        """
        gone = 0
        for key in self._blobs.keys("outputs"):
            try:
                task = self._rows.get(key.split("/")[1])
            except TaskNotFound:
                task = None
            if task and task.status is TaskStatus.PROCESSING:
                continue
            if task is None or task.result is None or task.result.blob_key != key:
                self._blobs.delete(key)
                gone += 1
        return gone

    def _file(self, url: str, kind: FileType, owner: str) -> Upload:
        upload = self._inbox.file(url, owner=owner)
        if upload.file_type is not kind:
            raise InvalidInput(f"{upload.name} was uploaded as {upload.file_type}; a task wants it as {kind}")
        return upload

    def _path(self, upload: Upload) -> Path:
        with present(f"{upload.name} (facecli upload --no-resume sends them again)"):
            return self._blobs.path(upload.blob_key)


def _same(task: Task, new: NewTask) -> bool:
    return (task.image_id, task.video_id, task.engine, dict(task.options)) == (
        new.image.id,
        new.video.id,
        new.engine,
        dict(new.options),
    )
