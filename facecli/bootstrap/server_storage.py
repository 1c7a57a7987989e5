"""Opens the storage of a server: its data directory, database, blobs and queue."""

import logging
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from facecli.blobs.identity import FILE, check_identity, name_directory
from facecli.blobs.lock import locked
from facecli.bootstrap.blob_store import name_store, open_blob_store
from facecli.bootstrap.factories import (
    database_url,
    private_data_directory,
    queue_errors,
    queue_file,
)
from facecli.bootstrap.generations import Generations
from facecli.config.paths import data_directory
from facecli.config.settings import Settings
from facecli.core.blobs import BlobStore
from facecli.metadata import schema
from facecli.metadata.audit.provenance import SqlProvenanceRepository
from facecli.metadata.content.secrets import SqlSecretRepository
from facecli.metadata.content.tails import SqlTailRepository
from facecli.metadata.database import open_database
from facecli.metadata.directories import SqlDirectoryRepository
from facecli.metadata.figures import SqlFigures
from facecli.metadata.task_logs import SqlTaskLogRepository
from facecli.metadata.tasks import SqlTaskRepository
from facecli.metadata.tokens import SqlTokenRepository
from facecli.metadata.uploads import SqlUploadRepository
from facecli.metadata.usage import SqlUsageRepository
from facecli.metadata.workers import SqlWorkerRepository
from facecli.queue.client import DbosTaskQueue, migrate_queue

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerStorage:
    """The open data directory with its database, blobs and queue."""

    directory: Path
    data_dir_id: str
    database_url: str
    blobs: BlobStore
    queue: DbosTaskQueue
    uploads: SqlUploadRepository
    tails: SqlTailRepository
    tasks: SqlTaskRepository
    task_logs: SqlTaskLogRepository
    provenance: SqlProvenanceRepository
    workers: SqlWorkerRepository
    usage: SqlUsageRepository
    tokens: SqlTokenRepository
    directories: SqlDirectoryRepository
    secrets: SqlSecretRepository
    figures: SqlFigures
    generations: Generations


@contextmanager
def open_storage(settings: Settings) -> Iterator[ServerStorage]:
    """Lock the data directory, migrate its databases, and check that they belong together."""
    directory = data_directory(settings)
    durable = settings.durability == "power"
    with ExitStack() as stack:
        stack.enter_context(private_data_directory(directory))
        taken = f"another facecli serve uses {directory}; stop it, or choose another --data-dir"
        stack.enter_context(locked(directory / "server.lock", taken=taken))
        url = database_url(settings, directory / "facecli.db")
        engine = open_database(url, durable=durable)
        stack.callback(engine.dispose)
        schema.upgrade(engine)
        directories = SqlDirectoryRepository(engine)
        if settings.database and not settings.blobs and not (directory / FILE).exists() and directories.any():
            _log.warning(
                "new data directory for a database that has files elsewhere; servers of one database share "
                "one bucket (--blobs), or one data directory with one server",
                extra={"data_directory": str(directory)},
            )
        data_dir_id = name_directory(directory, remember=directories.remember)
        check_identity(directory, known=directories.known)
        generations = Generations(directory, data_dir_id=data_dir_id, repository=directories)
        generations.open()
        stack.callback(generations.close)
        blobs = open_blob_store(settings, directory)
        name_store(blobs, known=directories.known, remember=directories.remember)
        queue_url = database_url(settings, queue_file(directory))
        with queue_errors():
            migrate_queue(queue_url)
        queue = DbosTaskQueue(queue_url, errors=queue_errors)
        stack.callback(queue.close)
        yield ServerStorage(
            directory=directory,
            data_dir_id=data_dir_id,
            database_url=url,
            blobs=blobs,
            queue=queue,
            uploads=SqlUploadRepository(engine),
            tails=SqlTailRepository(engine),
            tasks=SqlTaskRepository(engine),
            task_logs=SqlTaskLogRepository(engine),
            provenance=SqlProvenanceRepository(engine),
            workers=SqlWorkerRepository(engine),
            usage=SqlUsageRepository(engine),
            tokens=SqlTokenRepository(engine),
            directories=directories,
            secrets=SqlSecretRepository(engine),
            figures=SqlFigures(engine),
            generations=generations,
        )
