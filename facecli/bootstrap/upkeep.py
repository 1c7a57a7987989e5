"""Joins what looks after a data directory while no server runs on it."""

import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine

from facecli.blobs.identity import check_identity, identity
from facecli.blobs.local import LocalBlobs
from facecli.blobs.lock import locked
from facecli.bootstrap.parts import url
from facecli.config import Settings, data_directory
from facecli.core.errors import InvalidInput
from facecli.core.leftovers import Leftover
from facecli.core.open_files import OpenFiles
from facecli.core.silence import Silence
from facecli.core.task_removal import TaskRemoval
from facecli.core.upload_removal import UploadRemoval
from facecli.metadata import schema
from facecli.metadata.database import open_database, translated
from facecli.metadata.directories import SqlDirectoryRows
from facecli.metadata.tasks import SqlTaskRows
from facecli.metadata.uploads import SqlUploadRows


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    settings: Settings
    directory: Path
    engine: Engine

    def removals(self) -> tuple[UploadRemoval, TaskRemoval]:
        uploads, blobs = SqlUploadRows(self.engine), LocalBlobs(self.directory)
        expiry = self.settings.upload_expiry
        return (
            UploadRemoval(
                rows=uploads,
                blobs=blobs,
                files=OpenFiles(rows=uploads, blobs=blobs),
                silence=Silence(expiry=expiry, monotonic=time.monotonic),
                clock=time.time,
            ),
            TaskRemoval(
                rows=SqlTaskRows(self.engine),
                blobs=blobs,
                forget=self._forget,
                workspace=self.directory / "work",
                expiry=self.settings.result_expiry,
                clock=time.time,
                monotonic=time.monotonic,
            ),
        )

    def _forget(self, work_ids: Sequence[str]) -> None:
        # Loaded and opened only by who removes a task, which is seldom, and takes half a second.
        from facecli.queue.work import WorkQueue

        with closing(WorkQueue(url(self.settings, self.directory / "queue.db"), errors=translated)) as queue:
            queue.forget(work_ids)


@contextmanager
def leftovers(settings: Settings, *, dry_run: bool) -> Iterator[Sequence[Leftover]]:
    """What a server would remove, by the clock on the wall. A dry run takes no lock; else DirectoryInUse."""
    taken = "a facecli serve uses {} and removes these by itself; --dry-run shows what they are"
    with _opened(settings, taken="" if dry_run else taken) as place:
        uploads, tasks = place.removals()
        overdue = [*uploads.overdue(measured=False), *tasks.overdue(measured=False)]
        yield [*overdue, *uploads.orphans(), *tasks.orphans()]


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
        engine = open_database(url(settings, file))
        stack.callback(engine.dispose)
        schema.check(engine)
        check_identity(directory, known=SqlDirectoryRows(engine).known)
        yield _Place(settings=settings, directory=directory, engine=engine)
