"""Joins what a server keeps: uploads, tasks and all that looks after them."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from facecli.api.downloads import Downloads
from facecli.api.server_info import ServerInfo
from facecli.blobs.identity import check_identity, identity, name_directory
from facecli.blobs.local.store import LocalBlobs
from facecli.blobs.lock import locked
from facecli.bootstrap.factories import media_of, recovery_of, url
from facecli.bootstrap.server_info import offer
from facecli.config.settings import Settings, asks_who, data_directory
from facecli.core.auth import Tokens
from facecli.engines.registry import InstalledEngines
from facecli.metadata import schema
from facecli.metadata.database import open_database, translated
from facecli.metadata.directories import SqlDirectoryRows
from facecli.metadata.feed import SqlTaskFeed, changes_of
from facecli.metadata.tasks import SqlTaskRows
from facecli.metadata.tokens import SqlTokenRows
from facecli.metadata.uploads import SqlUploadRows
from facecli.metadata.usage import SqlUsageRows
from facecli.metadata.workers import SqlWorkerRows
from facecli.queue.client import WorkQueue, prepare
from facecli.tasks.collector import TaskRemoval
from facecli.tasks.recovery import Recovery
from facecli.tasks.service import TaskBoard
from facecli.uploads.quota import Quota, UserLimits
from facecli.uploads.service import Inbox, InboxLimits


@dataclass(frozen=True, slots=True, kw_only=True)
class Keeping:
    """`place` is the directory's name for itself; no `tokens` where nobody has to prove anything."""

    directory: Path
    place: str
    inbox: Inbox
    board: TaskBoard
    downloads: Downloads
    removal: TaskRemoval
    recovery: Recovery
    tokens: Tokens | None
    info: Callable[[str], ServerInfo]


@contextmanager
def keeping(settings: Settings) -> Iterator[Keeping]:
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
        place = _named(directory, SqlDirectoryRows(engine))
        queue = _queue(settings, directory, stack)
        blobs = LocalBlobs(directory, durable=durable)
        quota = _quota(settings, SqlUsageRows(engine))
        inbox = Inbox(
            rows=SqlUploadRows(engine),
            blobs=blobs,
            clock=time.time,
            monotonic=time.monotonic,
            limits=InboxLimits(max_file_size=settings.max_file_size, expiry=settings.upload_expiry),
            quota=quota,
        )
        tasks = SqlTaskRows(engine)
        removal = TaskRemoval(
            rows=tasks,
            blobs=blobs,
            forget=queue.forget,
            workspace=directory / "work",
            expiry=settings.result_expiry,
            clock=time.time,
            monotonic=time.monotonic,
        )
        board = TaskBoard(
            rows=tasks,
            inbox=inbox,
            blobs=blobs,
            feed=SqlTaskFeed(tasks, changes_of(url(settings, directory / "facecli.db"))),
            queue=queue,
            media=media,
            engines=engines,
            clock=time.time,
            default_engine=settings.engine,
            quota=quota,
            removal=removal,
        )
        yield Keeping(
            directory=directory,
            place=place,
            inbox=inbox,
            board=board,
            downloads=Downloads(inbox=inbox, board=board, blobs=blobs),
            removal=removal,
            recovery=recovery_of(settings, tasks, SqlWorkerRows(engine), queue),
            tokens=Tokens(SqlTokenRows(engine), clock=time.time) if asks_who(settings) else None,
            info=offer(settings, engines=engines, ffmpeg=ffmpeg, blobs=blobs, quota=quota),
        )


def _named(directory: Path, rows: SqlDirectoryRows) -> str:
    """The directory's name for itself, which its database has to know."""
    name_directory(directory, remember=rows.remember)
    check_identity(directory, known=rows.known)
    return identity(directory)


def _queue(settings: Settings, directory: Path, stack: ExitStack) -> WorkQueue:
    file = url(settings, directory / "queue.db")
    with translated():
        prepare(file)
    queue = WorkQueue(file, errors=translated)
    stack.callback(queue.close)
    return queue


def _quota(settings: Settings, rows: SqlUsageRows) -> Quota:
    limits = UserLimits(
        stored=settings.max_user_bytes,
        unfinished=settings.max_user_unfinished,
        waiting=settings.max_user_waiting,
    )
    return Quota(rows, limits)
