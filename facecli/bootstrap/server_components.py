"""Joins what a server keeps: uploads, tasks and all that looks after them."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from facecli.api.downloads import Downloads
from facecli.api.server_info import ServerInfo
from facecli.blobs.identity import check_identity, identity, name_directory
from facecli.blobs.lock import locked
from facecli.bootstrap.factories import media_of, open_blob_store, recovery_of, url
from facecli.bootstrap.server_info import offer
from facecli.config.settings import Settings, asks_who, data_directory
from facecli.core.auth import Tokens
from facecli.core.events import EventBus
from facecli.core.expiry_clock import ExpiryClock
from facecli.engines.registry import InstalledEngines
from facecli.metadata import schema
from facecli.metadata.database import open_database, translated
from facecli.metadata.directories import SqlDirectoryRepository
from facecli.metadata.feed import SqlTaskFeed, changes_of
from facecli.metadata.tasks import SqlTaskRepository
from facecli.metadata.tokens import SqlTokenRepository
from facecli.metadata.uploads import SqlUploadRepository
from facecli.metadata.usage import SqlUsageRepository
from facecli.metadata.workers import SqlWorkerRepository
from facecli.queue.client import WorkQueue, prepare
from facecli.tasks.collector import TaskCollector
from facecli.tasks.recovery import Recovery
from facecli.tasks.service import TaskService
from facecli.telemetry.event_log import log_events
from facecli.uploads.quota import Quota, UserLimits
from facecli.uploads.service import UploadService


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerComponents:
    """`place` is the directory's name for itself; no `tokens` where nobody has to prove anything."""

    directory: Path
    data_dir_id: str
    upload_service: UploadService
    task_service: TaskService
    downloads: Downloads
    collector: TaskCollector
    recovery: Recovery
    tokens: Tokens | None
    info: Callable[[str], ServerInfo]
    events: EventBus


@contextmanager
def server_components(settings: Settings) -> Iterator[ServerComponents]:
    """All of it, this process's alone; FfmpegMissing, DirectoryInUse, PolicyRefused or InvalidInput."""
    media = media_of(settings)
    ffmpeg = media.version()
    engines = InstalledEngines(media)
    engines.get(settings.engine)
    directory = data_directory(settings)
    durable = settings.durability == "power"
    with ExitStack() as stack:
        taken = f"another facecli serve uses {directory}; stop it, or choose another --data-dir"
        stack.enter_context(locked(directory / "server.lock", taken=taken))
        engine = open_database(url(settings, directory / "facecli.db"), durable=durable)
        stack.callback(engine.dispose)
        schema.upgrade(engine)
        data_dir_id = _named(directory, SqlDirectoryRepository(engine))
        queue = _queue(settings, directory, stack)
        blobs = open_blob_store(settings, directory)
        events = EventBus()
        log_events(events)
        quota = _quota(settings, SqlUsageRepository(engine))
        upload_service = UploadService(
            repository=SqlUploadRepository(engine),
            blobs=blobs,
            expiry_clock=ExpiryClock(wall=time.time, monotonic=time.monotonic, expiry=settings.upload_expiry),
            quota=quota,
            max_file_size=settings.max_file_size,
            events=events,
        )
        tasks = SqlTaskRepository(engine)
        collector = TaskCollector(
            repository=tasks,
            blobs=blobs,
            forget=queue.forget,
            workspace=directory / "work",
            expiry=settings.result_expiry,
            clock=time.time,
            monotonic=time.monotonic,
        )
        task_service = TaskService(
            repository=tasks,
            upload_service=upload_service,
            blobs=blobs,
            feed=SqlTaskFeed(tasks, changes_of(url(settings, directory / "facecli.db"))),
            queue=queue,
            media=media,
            engines=engines,
            clock=time.time,
            default_engine=settings.engine,
            quota=quota,
            collector=collector,
        )
        yield ServerComponents(
            directory=directory,
            data_dir_id=data_dir_id,
            upload_service=upload_service,
            task_service=task_service,
            downloads=Downloads(upload_service=upload_service, task_service=task_service, blobs=blobs),
            collector=collector,
            recovery=recovery_of(settings, tasks, SqlWorkerRepository(engine), queue),
            tokens=Tokens(SqlTokenRepository(engine), clock=time.time) if asks_who(settings) else None,
            info=offer(settings, engines=engines, ffmpeg=ffmpeg, blobs=blobs, quota=quota),
            events=events,
        )


def _named(directory: Path, repository: SqlDirectoryRepository) -> str:
    """The directory's name for itself, which its database has to know."""
    name_directory(directory, remember=repository.remember)
    check_identity(directory, known=repository.known)
    return identity(directory)


def _queue(settings: Settings, directory: Path, stack: ExitStack) -> WorkQueue:
    file = url(settings, directory / "queue.db")
    with translated():
        prepare(file)
    queue = WorkQueue(file, errors=translated)
    stack.callback(queue.close)
    return queue


def _quota(settings: Settings, repository: SqlUsageRepository) -> Quota:
    limits = UserLimits(
        stored=settings.max_user_bytes,
        unfinished=settings.max_user_unfinished,
        waiting=settings.max_user_waiting,
    )
    return Quota(repository, limits)
