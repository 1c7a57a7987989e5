"""Joins what looks after a data directory while no server runs on it."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from facecli.blobs.identity import check_identity, identity
from facecli.blobs.local.store import LocalBlobs
from facecli.blobs.lock import locked
from facecli.bootstrap.factories import database_url
from facecli.config.paths import data_directory
from facecli.config.settings import Settings
from facecli.core.damage import BlobVerifier
from facecli.core.errors import InvalidInput
from facecli.core.events import EventBus
from facecli.core.expiry_clock import IdleTracker
from facecli.core.garbage import Garbage
from facecli.maintenance.fsck import Inspection
from facecli.metadata import schema
from facecli.metadata.database import open_database, translate_errors
from facecli.metadata.directories import SqlDirectoryRepository
from facecli.metadata.integrity import integrity_errors
from facecli.metadata.tasks import SqlTaskRepository
from facecli.metadata.uploads import SqlUploadRepository
from facecli.tasks.collector import Retention, TaskCollector
from facecli.tasks.store import TaskStore
from facecli.tasks.verification import TaskVerifier
from facecli.uploads.collector import UploadCollector
from facecli.uploads.open_uploads import OpenUploads
from facecli.uploads.verification import UploadVerifier


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    settings: Settings
    directory: Path
    blobs: LocalBlobs
    uploads: SqlUploadRepository
    tasks: SqlTaskRepository
    complaints: Callable[[], Sequence[str]]

    def removals(self) -> tuple[UploadCollector, TaskCollector]:
        return (
            UploadCollector(
                repository=self.uploads,
                blobs=self.blobs,
                files=OpenUploads(repository=self.uploads, blobs=self.blobs),
                idle_tracker=IdleTracker(expiry=self.settings.upload_expiry, monotonic=time.monotonic),
                clock=time.time,
            ),
            TaskCollector(
                tasks=self._task_store(),
                blobs=self.blobs,
                forget=self._forget,
                workspace=self.directory / "work",
                retention=Retention(
                    expiry=self.settings.result_expiry, clock=time.time, monotonic=time.monotonic
                ),
            ),
        )

    def orphans(self) -> list[Garbage]:
        uploads, tasks = self.removals()
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
            complaints=self.complaints(),
        )

    def _task_store(self) -> TaskStore:
        return TaskStore(self.tasks, clock=time.time, events=EventBus())

    def _forget(self, work_ids: Sequence[str]) -> None:
        # Loaded and opened only by who removes a task, which is seldom, and takes half a second.
        from facecli.queue.client import DbosTaskQueue

        url = database_url(self.settings, self.directory / "queue.db")
        with closing(DbosTaskQueue(url, errors=translate_errors)) as queue:
            queue.forget(work_ids)


@contextmanager
def garbage(settings: Settings, *, dry_run: bool) -> Iterator[Sequence[Garbage]]:
    """What a server would remove, by the clock on the wall. A dry run takes no lock; else DirectoryInUse."""
    taken = "a facecli serve uses {} and removes these by itself; --dry-run shows what they are"
    with _opened(settings, taken="" if dry_run else taken) as place:
        uploads, tasks = place.removals()
        overdue = [*uploads.overdue(measured=False), *tasks.overdue(measured=False)]
        yield [*overdue, *place.orphans()]


@contextmanager
def inspection(settings: Settings, *, quick: bool, on_bytes: Callable[[int], None]) -> Iterator[Inspection]:
    """An integrity check; DirectoryInUse while a server runs. `on_bytes` gets the bytes read."""
    taken = "a facecli serve uses {}, which changes while it runs; stop it for the time of the check"
    with _opened(settings, taken=taken) as place:
        yield place.inspection(BlobVerifier(place.blobs, on_bytes=on_bytes), quick=quick)


@contextmanager
def _opened(settings: Settings, *, taken: str) -> Iterator[_Place]:
    """The directory, locked unless there are no words for when that is `taken`, with its database.

    InvalidInput or PolicyRefused when it is nobody's, or has another database. Nothing is made or migrated.
    """
    directory = data_directory(settings)
    identity(directory)
    file = directory / "facecli.db"
    if not settings.database and not file.exists():
        raise InvalidInput(f"{file} is missing; restore it from a backup, or name the --database")
    with ExitStack() as stack:
        if taken:
            stack.enter_context(locked(directory / "server.lock", taken=taken.format(directory)))
        engine = open_database(database_url(settings, file))
        stack.callback(engine.dispose)
        schema.check(engine)
        check_identity(directory, known=SqlDirectoryRepository(engine).known)
        yield _Place(
            settings=settings,
            directory=directory,
            blobs=LocalBlobs(directory),
            uploads=SqlUploadRepository(engine),
            tasks=SqlTaskRepository(engine),
            complaints=partial(integrity_errors, engine),
        )
