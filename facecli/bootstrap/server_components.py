"""Assembles the components of a server: uploads, tasks, garbage collection and recovery."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from facecli.api.downloads import Downloads
from facecli.api.server_info import ServerInfo
from facecli.blobs.link_key import link_key
from facecli.bootstrap.factories import (
    create_capabilities,
    create_engines,
    create_recovery,
    ffmpeg_media,
    label_rules,
    lock_holders,
    manifest_signer,
    orphan_policy,
    user_limits,
)
from facecli.bootstrap.server_info import server_info
from facecli.bootstrap.server_storage import ServerStorage, open_storage
from facecli.config.access import requires_authentication
from facecli.config.settings import Settings
from facecli.core.auth import Tokens
from facecli.core.blobs import BlobStore
from facecli.core.events import EventBus
from facecli.core.expiry_clock import ExpiryClock
from facecli.metadata.content.tails import SqlTailRepository
from facecli.metadata.feed import SqlTaskFeed, database_changes
from facecli.metadata.figures import SqlFigures
from facecli.tasks.collector import Retention, TaskCollector
from facecli.tasks.inputs.probes import Probes
from facecli.tasks.inputs.task_inputs import TaskInputs
from facecli.tasks.previews.previews import Previews
from facecli.tasks.recovery import Recovery
from facecli.tasks.service import TaskService
from facecli.tasks.store import TaskStore
from facecli.telemetry.event_log import log_events
from facecli.uploads.quota import Quota
from facecli.uploads.service import UploadService
from facecli.worker.suspended_workers import SuspendedWorkers


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerComponents:
    """The components of a server, on one event bus. `tokens` is None if callers are trusted."""

    directory: Path
    data_dir_id: str
    blobs: BlobStore
    events: EventBus
    upload_service: UploadService
    tails: SqlTailRepository
    task_service: TaskService
    previews: Previews
    downloads: Downloads
    collector: TaskCollector
    recovery: Recovery
    suspended_workers: SuspendedWorkers
    tokens: Tokens | None
    figures: SqlFigures
    info: Callable[[str], ServerInfo]
    ask_database: Callable[[], object]  # a short question; raises an error without an answer
    compact_usage: Callable[[], object]
    raise_generation: Callable[[], None]  # after changes of rows, periodically and at shutdown
    link_key: Callable[[], bytes]
    fallback: str  # why the default engine is not the best one; empty if it is, or was configured


@contextmanager
def server_components(settings: Settings) -> Iterator[ServerComponents]:
    """Open the data directory exclusively, and assemble the components.

    FfmpegMissing, DirectoryInUse, PolicyRefused or InvalidInput.
    """
    media = ffmpeg_media(settings)
    ffmpeg, engines = media.version(), create_engines(settings, media)
    default_engine, fallback = engines.default(settings.engine)
    rules = label_rules(settings)
    manifest_signer(settings)  # refuse now what would end every worker
    with open_storage(settings) as storage:
        events = EventBus()
        log_events(events)
        quota = Quota(storage.usage, user_limits(settings))
        capabilities = create_capabilities(settings, workers=storage.workers, data_dir_id=storage.data_dir_id)
        upload_service = _upload_service(settings, storage, quota, events)
        tasks = TaskStore(storage.tasks, clock=time.time, events=events)
        collector = _task_collector(settings, storage, tasks)
        inputs = TaskInputs(
            upload_service=upload_service,
            probes=Probes(media, storage.blobs, timeout=settings.probe_timeout),
            engines=engines,
            default_engine=default_engine,
            rules=rules,
        )
        task_service = TaskService(
            tasks=tasks,
            logs=storage.task_logs,
            provenance=storage.provenance,
            inputs=inputs,
            feed=SqlTaskFeed(storage.tasks, database_changes(storage.database_url)),
            queue=storage.queue,
            quota=quota,
            collector=collector,
            noted=capabilities.noted,
        )
        yield ServerComponents(
            directory=storage.directory,
            data_dir_id=storage.data_dir_id,
            blobs=storage.blobs,
            events=events,
            upload_service=upload_service,
            tails=storage.tails,
            task_service=task_service,
            previews=Previews(
                inputs=inputs,
                uploads=upload_service,
                blobs=storage.blobs,
                media=media,
                engines=engines,
                workspace=storage.directory / "work",
            ),
            downloads=Downloads(upload_service, task_service, storage.blobs),
            collector=collector,
            recovery=create_recovery(
                settings,
                tasks=tasks,
                logs=storage.task_logs,
                workers=storage.workers,
                queue=storage.queue,
                events=events,
            ),
            suspended_workers=SuspendedWorkers(
                storage.workers,
                data_dir_id=storage.data_dir_id,
                lock_holders=partial(lock_holders, settings, storage.directory),
            ),
            tokens=Tokens(storage.tokens, clock=time.time) if requires_authentication(settings) else None,
            figures=storage.figures,
            info=server_info(
                settings,
                engines=engines,
                default_engine=default_engine,
                ffmpeg=ffmpeg,
                blobs=storage.blobs,
                quota=quota,
                rules=rules,
                workers=storage.workers,
            ),
            link_key=partial(link_key, storage.directory, remember=storage.secrets.remember),
            fallback=fallback,
            ask_database=partial(storage.directories.known, storage.data_dir_id),
            compact_usage=storage.usage.compact,
            raise_generation=storage.generations.raise_if_changed,
        )


def _upload_service(
    settings: Settings, storage: ServerStorage, quota: Quota, events: EventBus
) -> UploadService:
    return UploadService(
        repository=storage.uploads,
        blobs=storage.blobs,
        expiry_clock=ExpiryClock(wall=time.time, monotonic=time.monotonic, expiry=settings.upload_expiry),
        quota=quota,
        max_file_size=settings.max_file_size,
        orphan_policy=orphan_policy(storage.directories),
        events=events,
    )


def _task_collector(settings: Settings, storage: ServerStorage, tasks: TaskStore) -> TaskCollector:
    return TaskCollector(
        tasks=tasks,
        blobs=storage.blobs,
        forget=storage.queue.forget,
        workspace=storage.directory / "work",
        retention=Retention(expiry=settings.result_expiry, clock=time.time, monotonic=time.monotonic),
        orphan_policy=orphan_policy(storage.directories),
    )
