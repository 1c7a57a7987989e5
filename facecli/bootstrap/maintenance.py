"""Assembles offline maintenance of a data directory: garbage collection and integrity check."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from facecli.blobs.generation import check_generation
from facecli.blobs.identity import check_identity, identity
from facecli.blobs.lock import locked
from facecli.blobs.privacy import close_to_others, private_files
from facecli.bootstrap.blob_store import check_store, open_blob_store, rescue_blob
from facecli.bootstrap.factories import database_url, orphan_policy, queue_errors, queue_file
from facecli.bootstrap.generations import Generations, directory_damage
from facecli.config.paths import data_directory
from facecli.config.settings import Settings
from facecli.core.blobs import BlobStore
from facecli.core.damage import BlobVerifier
from facecli.core.errors import BytesDiffer, InvalidInput, StorageFailed
from facecli.core.events import EventBus
from facecli.core.expiry_clock import ExpiryClock
from facecli.core.garbage import Garbage, OrphanPolicy
from facecli.maintenance.fsck import Inspection
from facecli.maintenance.usage import usage_damage
from facecli.metadata import schema
from facecli.metadata.database import open_database
from facecli.metadata.directories import SqlDirectoryRepository
from facecli.metadata.integrity import integrity_errors
from facecli.metadata.tasks import SqlTaskRepository
from facecli.metadata.uploads import SqlUploadRepository
from facecli.metadata.usage import SqlUsageRepository
from facecli.queue.file import queue_problems, remove_queue
from facecli.tasks.collector import Retention, TaskCollector
from facecli.tasks.store import TaskStore
from facecli.tasks.verification import TaskVerifier
from facecli.uploads.collector import UploadCollector
from facecli.uploads.open_uploads import OpenUploads
from facecli.uploads.quota import Quota, UserLimits
from facecli.uploads.verification import UploadVerifier


@dataclass(frozen=True, slots=True, kw_only=True)
class _Storage:
    """A data directory with its database."""

    settings: Settings
    directory: Path
    blobs: BlobStore
    uploads: SqlUploadRepository
    tasks: SqlTaskRepository
    usage: SqlUsageRepository
    directories: SqlDirectoryRepository
    database_errors: Callable[[], Sequence[str]]

    def collectors(self) -> tuple[UploadCollector, TaskCollector]:
        return (
            UploadCollector(
                repository=self.uploads,
                blobs=self.blobs,
                open_uploads=OpenUploads(
                    repository=self.uploads, blobs=self.blobs, quota=Quota(self.usage, UserLimits())
                ),
                expiry_clock=ExpiryClock(
                    wall=time.time, monotonic=time.monotonic, expiry=self.settings.upload_expiry
                ),
                orphan_policy=orphan_policy(self.directories),
                events=EventBus(),
            ),
            TaskCollector(
                tasks=self._task_store(),
                blobs=self.blobs,
                forget=self._forget,
                workspace=self.directory / "work",
                retention=Retention(
                    expiry=self.settings.result_expiry, clock=time.time, monotonic=time.monotonic
                ),
                orphan_policy=orphan_policy(self.directories),
            ),
        )

    def orphans(self) -> list[Garbage]:
        uploads, tasks = self.collectors()
        return [*uploads.orphans(), *tasks.orphans()]

    def inspection(self, verifier: BlobVerifier, *, quick: bool) -> Inspection:
        expiry = self.settings.upload_expiry
        return Inspection(
            uploads=self.uploads,
            tasks=self.tasks,
            upload_verifier=UploadVerifier(
                repository=self.uploads, verifier=verifier, clock=time.time, expiry=expiry, quick=quick
            ),
            task_verifier=TaskVerifier(
                tasks=self._task_store(),
                verifier=verifier,
                quick=quick,
            ),
            orphans=self.orphans,
            rescue=lambda orphan: rescue_blob(self.blobs, self.directory, orphan.id),
            database_errors=self.database_errors(),
            usage=partial(usage_damage, self.usage),
            directory=partial(directory_damage, self.directory, self.generations()),
            queue_problems=self.queue_problems(),
            remove_queue=self.remove_queue,
        )

    def generations(self) -> Generations:
        return Generations(self.directory, data_dir_id=identity(self.directory), repository=self.directories)

    def _task_store(self) -> TaskStore:
        return TaskStore(self.tasks, clock=time.time, events=EventBus())

    def _forget(self, work_ids: Sequence[str]) -> None:
        # Imported and opened on first use: it takes half a second.
        from facecli.queue.client import DbosTaskQueue

        url = database_url(self.settings, queue_file(self.directory))
        with closing(DbosTaskQueue(url, errors=queue_errors)) as queue:
            queue.forget(work_ids)

    def queue_problems(self) -> list[str]:
        if self.settings.database:
            return []
        with queue_errors():
            return queue_problems(queue_file(self.directory))

    def remove_queue(self) -> None:
        """Delete the queue's file; DirectoryInUse while a worker runs."""
        with ExitStack() as stack:
            for path in (self.directory / "workers").glob("*.lock"):
                taken = f"worker {path.stem} uses {self.directory}; stop it before the repair"
                stack.enter_context(locked(path, taken=taken))
            remove_queue(queue_file(self.directory))


@contextmanager
def garbage(settings: Settings, *, dry_run: bool) -> Iterator[tuple[Sequence[Garbage], OrphanPolicy]]:
    """Expired and orphaned data by the wall clock, and the policy for orphans.

    DirectoryInUse while a server runs, unless `dry_run`; PolicyRefused when the database is older than the
    directory.
    """
    in_use = "facecli serve uses {} and collects garbage by itself; --dry-run lists it"
    with _opened(settings, in_use="" if dry_run else in_use) as storage:
        check_generation(storage.directory, known=storage.generations().known)
        uploads, tasks = storage.collectors()
        overdue = [*uploads.overdue(measured=False), *tasks.overdue(measured=False)]
        yield [*overdue, *storage.orphans()], orphan_policy(storage.directories)


@contextmanager
def inspection(settings: Settings, *, quick: bool, on_bytes: Callable[[int], None]) -> Iterator[Inspection]:
    """An integrity check; `on_bytes` gets the number of bytes read.

    DirectoryInUse while a server runs, BytesDiffer for a database that cannot be read at all.
    """
    in_use = "facecli serve is using {}; stop it before the check"
    with ExitStack() as stack:
        try:
            storage = stack.enter_context(_opened(settings, in_use=in_use, inspecting=True))
        except StorageFailed as error:
            raise BytesDiffer(error.message) from error
        yield storage.inspection(BlobVerifier(storage.blobs, on_bytes=on_bytes), quick=quick)


@contextmanager
def _opened(settings: Settings, *, in_use: str, inspecting: bool = False) -> Iterator[_Storage]:
    """Open the directory and its database; create and migrate nothing.

    Lock the directory unless `in_use`, the error text for a running server, is empty. InvalidInput for a
    directory without a server's data, PolicyRefused for one that belongs to another database.
    When `inspecting`, a directory that other users can read is left to the inspection.
    """
    directory = data_directory(settings)
    identity(directory)
    file = directory / "facecli.db"
    if not settings.database and not file.exists():
        raise InvalidInput(f"{file} is missing; restore it from a backup, or pass --database")
    with ExitStack() as stack:
        stack.enter_context(private_files())
        if in_use and not inspecting:
            close_to_others(directory)
        if in_use:
            stack.enter_context(locked(directory / "server.lock", taken=in_use.format(directory)))
        engine = open_database(database_url(settings, file))
        stack.callback(engine.dispose)
        schema.check(engine)
        directories = SqlDirectoryRepository(engine)
        check_identity(directory, known=directories.known)
        blobs = open_blob_store(settings, directory)
        check_store(blobs, known=directories.known)
        yield _Storage(
            settings=settings,
            directory=directory,
            blobs=blobs,
            uploads=SqlUploadRepository(engine),
            tasks=SqlTaskRepository(engine),
            usage=SqlUsageRepository(engine),
            directories=directories,
            database_errors=partial(integrity_errors, engine),
        )
