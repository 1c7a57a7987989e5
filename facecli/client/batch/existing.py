"""The inputs of existing outputs: whether they are those of the job, as far as the server knows."""

from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from threading import Lock

from facecli.client.batch.job import Job
from facecli.client.batch.plan import PlannedJob
from facecli.client.tasks import TaskClient
from facecli.client.uploads import UploadClient
from facecli.core.checksums import crc32c_of
from facecli.core.errors import FacecliError, UploadNotFound
from facecli.tasks.task import TaskFilter, TaskStatus
from facecli.tasks.view import TaskView
from facecli.uploads.upload import upload_id_of

MAX_TWINS = 10  # tasks with the checksum of an output that are compared


class Made(StrEnum):
    """Of what an output was made, as the report of its job says it."""

    SAME = "exists"
    OTHER = "exists, made of other files, part, engine or options; --overwrite replaces it"
    UNKNOWN = "exists, made of what the server does not know"
    NOT_COMPARED = "exists, not compared"


class ExistingOutputs:
    """Compares outputs. Safe to use from many threads. After an error of the server it is not asked again.

    `connect` returns clients whose calls are not retried for long.
    """

    def __init__(self, connect: Callable[[], tuple[TaskClient, UploadClient]]) -> None:
        self._connect = connect
        self._lock = Lock()
        self._clients: tuple[TaskClient, UploadClient] | None = None
        self._away = False
        self._checksums = dict[Path, tuple[int, int]]()  # size and crc32c of inputs

    def made(self, planned: PlannedJob) -> Made:
        """Of what the existing output of a job was made."""
        if self._away:
            return Made.NOT_COMPARED
        try:
            with self._lock:
                self._clients = self._clients or self._connect()
            return self._compared(planned, *self._clients)
        except OSError:  # an input is gone, or cannot be read
            return Made.NOT_COMPARED
        except FacecliError:
            self._away = True
            return Made.NOT_COMPARED

    def _compared(self, planned: PlannedJob, tasks: TaskClient, uploads: UploadClient) -> Made:
        size, crc32c = _checksum(planned.output)
        wanted = TaskFilter(status=TaskStatus.COMPLETED, result_crc32c=crc32c)
        twins = list(tasks.listed(wanted, limit=MAX_TWINS))
        answers = [self._is_of(task, planned.job, uploads) for task in twins if task.result_size == size]
        if True in answers:
            return Made.SAME
        return Made.OTHER if False in answers and len(twins) < MAX_TWINS else Made.UNKNOWN

    def _is_of(self, task: TaskView, job: Job, uploads: UploadClient) -> bool | None:
        """Whether a task has the files and options of the job; None if its files are deleted."""
        if (task.options, task.part) != (job.options, job.part) or job.engine not in {"", task.engine}:
            return False
        try:
            stored = [uploads.get(upload_id_of(url)) for url in (task.image_url, task.video_url)]
        except UploadNotFound:
            return None
        return [(each.size, each.crc32c) for each in stored] == [
            self._input_checksum(path) for path in (job.face, job.video)
        ]

    def _input_checksum(self, path: Path) -> tuple[int, int]:
        with self._lock:
            known = self._checksums.get(path)
        if known is None:
            known = _checksum(path)
            with self._lock:
                self._checksums[path] = known
        return known


def _checksum(path: Path) -> tuple[int, int]:
    with path.open("rb") as file:
        crc32c = crc32c_of(file)
        return file.tell(), crc32c
