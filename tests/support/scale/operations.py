"""The operations of a service on its databases, each ready to be repeated."""

import itertools
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from sqlalchemy import Engine, func, select

from facecli.blobs.local.store import LocalBlobs
from facecli.core.events import EventBus
from facecli.core.expiry_clock import ExpiryClock
from facecli.metadata import schema
from facecli.metadata.database import open_database, reading, translate_errors
from facecli.metadata.directories import SqlDirectoryRepository
from facecli.metadata.figures import SqlFigures
from facecli.metadata.tables import tasks, uploads
from facecli.metadata.task_records.webhooks import SqlWebhookRepository
from facecli.metadata.tasks import SqlTaskRepository
from facecli.metadata.uploads import SqlUploadRepository
from facecli.metadata.usage import SqlUsageRepository
from facecli.queue.client import DbosTaskQueue, migrate_queue
from facecli.tasks import transitions
from facecli.tasks.selection import TaskSelection
from facecli.tasks.task import NewTask, Result, Task, TaskFilter, TaskStatus
from facecli.uploads.quota import Quota, UserLimits
from facecli.uploads.service import UploadService
from facecli.uploads.upload import CHUNK_SIZE, Chunk, NewChunk, NewUpload, Upload
from tests.support.scale.rows import END, LARGE, NAME, Scale
from tests.support.storage import any_age

DEEP = 0.75  # of the rows come before the deep page
NOW = END + 60.0
MONTH = 30 * 86400.0
_LIMITS = UserLimits(stored=2**60, unfinished=10**9, waiting=10**9)

Operation = Callable[[], object]


@dataclass(kw_only=True)
class Service:
    """The repositories of a filled database, as a server has them."""

    scale: Scale
    engine: Engine
    directory: Path
    queue: DbosTaskQueue | None = None
    page: int = 100  # rows
    numbers: Iterator[int] = field(init=False)

    def __post_init__(self) -> None:
        self.numbers = itertools.count(_first_number(self.engine, self.scale))
        self.uploads = SqlUploadRepository(self.engine)
        self.tasks = SqlTaskRepository(self.engine)
        self.usage = SqlUsageRepository(self.engine)
        self.figures = SqlFigures(self.engine)
        self.directories = SqlDirectoryRepository(self.engine)
        self.webhooks = SqlWebhookRepository(self.engine)
        self.begin = UploadService(
            repository=self.uploads,
            blobs=LocalBlobs(self.directory),
            expiry_clock=ExpiryClock(wall=lambda: NOW, monotonic=time.monotonic, expiry=604_800.0),
            quota=Quota(self.usage, _LIMITS),
            max_file_size=2**40,
            orphan_policy=any_age(time.time),
            events=EventBus(),
        ).begin_all

    def owned_upload(self, share: float) -> str:
        """The id of an upload of the large owner, with this share of its uploads created before it."""
        ids = self.scale.upload_ids[::10]
        return ids[int(share * (len(ids) - 1))]

    def owned_task(self, share: float) -> str:
        ids = self.scale.task_ids[::10]
        return ids[int(share * (len(ids) - 1))]

    def new_upload(self, name: str) -> NewUpload:
        number = next(self.numbers)
        return NewUpload.checked(
            owner=LARGE,
            name=name,
            file_type="video",
            size=1_000_000 + number,
            chunk_size=CHUNK_SIZE,
            fingerprint=number,
        )

    def announced_again(self, share: float) -> NewUpload:
        stored = self.uploads.get(self.owned_upload(share))
        return NewUpload(
            owner=stored.owner,
            name=stored.name,
            file_type=stored.file_type,
            size=stored.size,
            chunk_size=stored.chunk_size,
            total_chunks=stored.total_chunks,
            fingerprint=stored.fingerprint,
        )

    def begun(self, name: str) -> Upload:
        ((upload, _),) = self.begin([(self.new_upload(name), False)])
        return upload

    def created(self) -> Task:
        face, video = (self.uploads.get(self.owned_upload(share)) for share in (0.3, 0.6))
        number = next(self.numbers)
        new = NewTask(owner=LARGE, image=face, video=video, engine="mock", key=f"new-{number}")
        with Quota(self.usage, _LIMITS).task() as admit:
            task = self.tasks.insert(new, task_id=f"{number:032x}", now=NOW, admit=admit)
        if self.queue:
            self.queue.enqueue(work_id=task.work_id, task_id=task.id, engine=task.engine)
        return task


def _first_number(engine: Engine, scale: Scale) -> int:
    """A number that no run before on this database took: one takes at most two for each row that it adds."""
    with reading(engine) as connection:
        rows = [connection.execute(select(func.count()).select_from(each)) for each in (uploads, tasks)]
        return 1 + 2 * (sum(each.scalar_one() for each in rows) - scale.uploads - scale.tasks)


def operations(service: Service) -> Iterator[tuple[str, Operation]]:
    """Names and functions; a function prepares nothing, and can be called many times."""
    yield from _lists(service)
    yield from _of_uploads(service)
    yield from _of_tasks(service)
    yield from _periodic(service)


def _lists(service: Service) -> Iterator[tuple[str, Operation]]:
    uploads, tasks = service.uploads, service.tasks
    everything = TaskFilter()

    def created_at(share: float) -> float:
        return tasks.get(service.owned_task(share)).created_at

    page_of = partial(tasks.listed, limit=service.page, before="")
    page = partial(page_of, LARGE)
    yield "list uploads: first page", partial(uploads.listed, LARGE, limit=service.page, before="")
    deep = service.owned_upload(1 - DEEP)
    yield "list uploads: deep page", partial(uploads.listed, LARGE, limit=service.page, before=deep)
    yield "list tasks: first page", partial(page, everything)
    deep = service.owned_task(1 - DEEP)
    yield "list tasks: deep page", partial(tasks.listed, LARGE, everything, limit=service.page, before=deep)
    yield "list tasks: failed", partial(page, TaskFilter(status="failed"))
    yield (
        "list tasks: status of none",
        partial(page_of, "user-00000", TaskFilter(status="processing")),
    )
    yield "list tasks: processing", partial(page, TaskFilter(status="processing"))
    yield "list tasks: engine", partial(page, TaskFilter(engine="mesh"))
    yield "list tasks: engine of none", partial(page, TaskFilter(engine="inswapper"))
    yield "list tasks: period", partial(page, TaskFilter(since=created_at(0.2), until=created_at(0.6)))
    yield "list tasks: by result", partial(page, TaskFilter(result_crc32c=30))


def _of_uploads(service: Service) -> Iterator[tuple[str, Operation]]:
    uploads = service.uploads
    yield "begin: new name", lambda: service.begun(f"new {next(service.numbers)}.mp4")
    yield "begin: new file, usual name", lambda: service.begun(NAME)
    yield (
        "begin: 50 files, usual name",
        lambda: service.begin([(service.new_upload(NAME), False) for _ in range(50)]),
    )
    again = service.announced_again(0.5)
    yield "begin: uploaded before", lambda: service.begin([(again, False)])
    open_upload = service.begun("open.mp4")
    epoch = uploads.claim(open_upload.id, now=NOW, expires_at=NOW + 1).epoch
    chunk = Chunk(index=0, size=open_upload.size or 0, crc32c=1, token="0")
    new = NewChunk(upload_id=open_upload.id, epoch=epoch, chunk=chunk)
    yield "upload: store a chunk", lambda: uploads.store_chunks([new], now=NOW, expires_at=NOW + 1)
    yield "upload: status", partial(uploads.get, service.owned_upload(0.5), owner=LARGE)
    yield "upload: chunks", partial(uploads.chunks, service.owned_upload(0.5))
    yield "delete an upload: needed by a task?", partial(uploads.needed_by, service.owned_upload(0.1))
    yield "quota: usage of the large owner", partial(service.usage.of, LARGE)
    yield "quota: usage of another", partial(service.usage.of, "user-00001")


def _of_tasks(service: Service) -> Iterator[tuple[str, Operation]]:
    tasks = service.tasks
    task_id = service.owned_task(0.5)
    yield "task: create and enqueue", service.created
    yield "task: status", partial(tasks.get, task_id, owner=LARGE)
    yield "task: by key", partial(tasks.with_key, LARGE, "order-100")
    yield "task: by beginning of id", partial(tasks.find, LARGE, task_id[:8], limit=11)
    yield "task: by unknown reference", partial(tasks.find, LARGE, "order-unknown", limit=11)
    yield "task: claim, advance, complete", lambda: _complete(service)
    yield "watch: one task", partial(tasks.newer, {task_id: 10**6})
    yield "watch: 500 tasks", partial(tasks.newer, dict.fromkeys(service.scale.task_ids[:500], 10**6))
    selection = TaskSelection(owner="user-00001", ids=frozenset(), all=True)
    yield "watch: all of an owner", partial(tasks.states, selection)
    yield "webhooks: due", partial(service.webhooks.due, NOW, limit=4)


def _complete(service: Service) -> None:
    tasks, number = service.tasks, next(service.numbers)
    created = service.created()
    claim = partial(transitions.claim, run=f"run-{number}", worker="w1")
    tasks.change(created.id, claim, now=NOW)
    tasks.change(created.id, lambda task: replace(task, progress=50), now=NOW)
    result = Result(blob_key=f"outputs/{created.id}/r", size=1000, crc32c=number)

    def complete(task: Task) -> Task:
        return replace(task, status=TaskStatus.COMPLETED, progress=100, result=result)

    tasks.change(created.id, complete, now=NOW, max_stored=2**60, record="{}")


def _periodic(service: Service) -> Iterator[tuple[str, Operation]]:
    tasks = service.tasks
    hundredth = tasks.get(service.scale.task_ids[100]).updated_at
    yield "every second: leases, tasks running", partial(tasks.with_status, TaskStatus.PROCESSING)
    yield "every minute: expired uploads", partial(service.uploads.expired, NOW - MONTH)
    yield "every minute: expired tasks, none", partial(tasks.ended, before=0.0)
    yield "gc: a page of expired tasks", partial(tasks.ended, before=hundredth)
    yield "every minute: newest row", service.directories.newest_row
    yield "metrics: figures", partial(service.figures.read, now=NOW)
    last = sorted(service.scale.upload_ids)[-100]
    yield "fsck: a page of uploads", partial(service.uploads.page, after=last)
    if service.queue:
        yield "queue: holders", service.queue.holders
        yield "queue: work of a worker", partial(service.queue.held_by, "worker-000000000001")


def open_service(
    stack: ExitStack, url: str, scale: Scale, directory: Path, *, queue_url: str = ""
) -> Service:
    """The service on a filled database, until `stack` closes."""
    engine = open_database(url)
    stack.callback(engine.dispose)
    schema.upgrade(engine)
    queue = None
    if queue_url:
        migrate_queue(queue_url)
        queue = DbosTaskQueue(queue_url, errors=translate_errors)
        stack.callback(queue.close)
    return Service(scale=scale, engine=engine, directory=directory, queue=queue)


def quantile(values: Sequence[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]
