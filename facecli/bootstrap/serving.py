"""Joins what a server is made of."""

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace

from facecli import __version__
from facecli.blobs.identity import check_identity, identity, name_directory
from facecli.blobs.local import LocalBlobs
from facecli.blobs.lock import locked
from facecli.bootstrap.parts import media_of, recovery_of, url
from facecli.config import Settings, asks_who, child_environment, data_directory, server_tls
from facecli.core.addresses import check_guarded, checked_address
from facecli.core.auth import RECHECK, Tokens
from facecli.core.downloads import Downloads
from facecli.core.housekeeping import every
from facecli.core.inbox import Inbox, InboxLimits
from facecli.core.quota import Quota, UserLimits
from facecli.core.removal import Removal
from facecli.core.server_info import ServerInfo
from facecli.core.task_board import TaskBoard
from facecli.core.uploads import CHUNK_SIZE, FRAME_SIZE, MAX_CHUNK_SIZE
from facecli.engines.registry import InstalledEngines
from facecli.metadata import database, schema
from facecli.metadata.database import open_database, translated
from facecli.metadata.directories import SqlDirectoryRows
from facecli.metadata.feed import SqlTaskFeed, changes_of
from facecli.metadata.tasks import SqlTaskRows
from facecli.metadata.tokens import SqlTokenRows
from facecli.metadata.uploads import SqlUploadRows
from facecli.metadata.usage import SqlUsageRows
from facecli.metadata.workers import SqlWorkerRows
from facecli.queue import work
from facecli.queue.work import WorkQueue, prepare
from facecli.service.callers import Callers
from facecli.service.server import Server, ServerLimits
from facecli.worker.heartbeat import LOOK_EVERY
from facecli.worker.supervisor import Supervisor

EMBEDDED = "worker-"  # what the workers of a server are called, with its directory's name and a number
CONNECTIONS = database.CONNECTIONS + work.CONNECTIONS + 1  # of a server to PostgreSQL; one listens
EXPIRE_EVERY = 60.0  # seconds between two looks for abandoned uploads, and for tasks that ended long ago
SWEEP_EVERY = 600.0  # seconds between two looks for files that no row knows
SEARCH_EVERY = 15.0  # seconds between two looks for tasks that nobody would run
GRACE = 5.0  # seconds that running calls and workers get to end
FEATURES = ("resume", "watch", "retry", "idempotent-create", "download", "delete")
VIDEO_FORMATS = ("mp4", "mov", "mkv", "webm", "avi", "ts")
IMAGE_FORMATS = ("jpeg", "png", "webp")


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A server that listens at `address`; `workers` tells the process ids of its workers."""

    address: str
    workers: Callable[[], Sequence[int]]


@contextmanager
def serving(settings: Settings) -> Iterator[Running]:
    """A whole server with its workers; stopped gracefully on leaving.

    FfmpegMissing, DirectoryInUse, PolicyRefused or InvalidInput before anything was started.
    """
    _check_bind(settings)
    media = media_of(settings)
    ffmpeg = media.version()
    engines = InstalledEngines(media)
    engines.get(settings.engine)
    directory = data_directory(settings)
    with ExitStack() as stack:
        stack.enter_context(
            locked(
                directory / "server.lock",
                taken=f"another facecli serve uses {directory}; stop it, or choose another --data-dir",
            )
        )
        durable = settings.durability == "power"
        engine = open_database(url(settings, directory / "facecli.db"), durable=durable)
        stack.callback(engine.dispose)
        schema.upgrade(engine)
        directories = SqlDirectoryRows(engine)
        workers = f"{EMBEDDED}{name_directory(directory, remember=directories.remember)}-"
        check_identity(directory, known=directories.known)
        with translated():
            prepare(url(settings, directory / "queue.db"))
        queue = WorkQueue(url(settings, directory / "queue.db"), errors=translated)
        stack.callback(queue.close)
        blobs = LocalBlobs(directory, durable=durable)
        quota = Quota(
            SqlUsageRows(engine),
            UserLimits(
                stored=settings.max_user_bytes,
                unfinished=settings.max_user_unfinished,
                waiting=settings.max_user_waiting,
            ),
        )
        inbox = Inbox(
            rows=SqlUploadRows(engine),
            blobs=blobs,
            clock=time.time,
            monotonic=time.monotonic,
            limits=InboxLimits(max_file_size=settings.max_file_size, expiry=settings.upload_expiry),
            quota=quota,
        )
        rows = SqlTaskRows(engine)
        removal = Removal(
            rows=rows,
            blobs=blobs,
            queue=queue,
            workspace=directory / "work",
            expiry=settings.result_expiry,
            clock=time.time,
            monotonic=time.monotonic,
        )
        board = TaskBoard(
            rows=rows,
            inbox=inbox,
            blobs=blobs,
            feed=SqlTaskFeed(rows, changes_of(url(settings, directory / "facecli.db"))),
            queue=queue,
            media=media,
            engines=engines,
            clock=time.time,
            default_engine=settings.engine,
            quota=quota,
            removal=removal,
        )
        inbox.sweep()
        removal.sweep()
        recovery = recovery_of(settings, rows, SqlWorkerRows(engine), queue)
        place = identity(directory)
        recovery.release_former(place=place, names=lambda name: name.startswith(EMBEDDED))
        recovery.search()

        def info(user: str) -> ServerInfo:
            return ServerInfo(
                version=__version__,
                chunk_size=CHUNK_SIZE,
                max_chunk_size=MAX_CHUNK_SIZE,
                frame_size=FRAME_SIZE,
                max_file_size=settings.max_file_size,
                engines=tuple(engines.names()),
                default_engine=settings.engine,
                image_formats=IMAGE_FORMATS,
                video_formats=VIDEO_FORMATS,
                features=(*FEATURES, f"durability-{settings.durability}"),
                ffmpeg=ffmpeg,
                free_bytes=blobs.free_bytes(),
                upload_expiry=int(settings.upload_expiry),
                max_pixels=settings.max_pixels,
                max_video_seconds=settings.max_video_seconds,
                max_user_bytes=settings.max_user_bytes,
                max_user_unfinished=settings.max_user_unfinished,
                max_user_waiting=settings.max_user_waiting,
                user_bytes=quota.used(user).stored,
            )

        server = Server(
            bind=settings.bind,
            inbox=inbox,
            board=board,
            downloads=Downloads(inbox=inbox, board=board, blobs=blobs),
            info=info,
            limits=ServerLimits(
                uploads=settings.max_uploads,
                watchers=settings.max_watchers,
                downloads=settings.max_downloads,
                calls=settings.max_calls,
                share=settings.user_share,
                streams=settings.max_streams,
                idle=settings.idle_limit,
                min_rate=settings.min_rate,
            ),
            callers=Callers(Tokens(SqlTokenRows(engine), clock=time.time) if asks_who(settings) else None),
            tls=server_tls(settings),
        )
        supervisor = Supervisor(
            names=[f"{workers}{number}" for number in range(1, settings.workers + 1)],
            command=_worker_command,
            environment=child_environment(
                replace(settings, data_dir=str(directory.resolve())), secrets=("database",)
            ),
            died=lambda name: recovery.release_former(place=place, names=name.__eq__),
        )
        stack.callback(supervisor.stop, GRACE)  # also when only some of its workers could be started
        supervisor.start()
        server.start()
        stack.callback(server.stop, GRACE)
        stack.enter_context(every(RECHECK, server.recheck))
        stack.enter_context(every(EXPIRE_EVERY, inbox.expire))
        stack.enter_context(every(EXPIRE_EVERY, removal.expire))
        stack.enter_context(every(SWEEP_EVERY, removal.sweep))
        stack.enter_context(every(LOOK_EVERY, recovery.look))
        stack.enter_context(every(SEARCH_EVERY, recovery.search))
        yield Running(address=server.address, workers=supervisor.pids)


def _check_bind(settings: Settings) -> None:
    checked_address(settings.bind, option="--bind", lowest_port=0)
    if not settings.insecure:
        check_guarded(settings.bind, tls=bool(settings.tls_cert), asks_who=asks_who(settings))


def _worker_command(name: str) -> list[str]:
    # -P: nothing that lies in the current directory is taken for a module.
    return [sys.executable, "-P", "-m", "facecli", "worker", "--name", name, "--with-stdin"]
