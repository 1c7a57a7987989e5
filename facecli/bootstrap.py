"""Picks and joins the implementations; the only file that may."""

import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from facecli import __version__
from facecli.blobs.identity import check_identity, identity, name_directory
from facecli.blobs.local import LocalBlobs
from facecli.blobs.lock import locked
from facecli.config import Settings, child_environment, data_directory
from facecli.core.addresses import checked_address, is_local
from facecli.core.downloads import Downloads
from facecli.core.engines import FoundEngine
from facecli.core.errors import InvalidInput, PolicyRefused
from facecli.core.inbox import Inbox, InboxLimits
from facecli.core.media import MediaLimits
from facecli.core.server_info import ServerInfo
from facecli.core.swapping import Swapping
from facecli.core.task_board import TaskBoard
from facecli.core.uploads import CHUNK_SIZE, FRAME_SIZE, MAX_CHUNK_SIZE
from facecli.engines.mock import MockEngine
from facecli.engines.registry import InstalledEngines
from facecli.media.ffmpeg import FfmpegMedia
from facecli.metadata import schema
from facecli.metadata.address import postgresql
from facecli.metadata.database import open_database, translated, version
from facecli.metadata.directories import SqlDirectoryRows
from facecli.metadata.feed import SqlTaskFeed, changes_of
from facecli.metadata.tasks import SqlTaskRows
from facecli.metadata.uploads import SqlUploadRows
from facecli.queue.runner import WorkRunner
from facecli.queue.work import WorkQueue, prepare
from facecli.service.housekeeping import every
from facecli.service.server import Server, ServerLimits
from facecli.worker.process import Ending, end_now
from facecli.worker.supervisor import Supervisor
from facecli.worker.tasks import task_runner

EMBEDDED = "worker-"  # what the workers of a server are called, with its directory's name and a number
EXPIRE_EVERY = 60.0  # seconds between two looks for abandoned uploads
GRACE = 5.0  # seconds that running calls and workers get to end
FEATURES = ("resume", "watch", "retry", "idempotent-create", "download")
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
        engine = open_database(_url(settings, directory / "facecli.db"), durable=durable)
        stack.callback(engine.dispose)
        schema.upgrade(engine)
        directories = SqlDirectoryRows(engine)
        workers = f"{EMBEDDED}{name_directory(directory, remember=directories.remember)}-"
        check_identity(directory, known=directories.known)
        with translated():
            prepare(_url(settings, directory / "queue.db"))
        queue = WorkQueue(_url(settings, directory / "queue.db"), errors=translated)
        stack.callback(queue.close)
        blobs = LocalBlobs(directory, durable=durable)
        inbox = Inbox(
            rows=SqlUploadRows(engine),
            blobs=blobs,
            clock=time.time,
            monotonic=time.monotonic,
            limits=InboxLimits(max_file_size=settings.max_file_size, expiry=settings.upload_expiry),
        )
        rows = SqlTaskRows(engine)
        board = TaskBoard(
            rows=rows,
            inbox=inbox,
            blobs=blobs,
            feed=SqlTaskFeed(rows, changes_of(_url(settings, directory / "facecli.db"))),
            queue=queue,
            media=media,
            engines=engines,
            clock=time.time,
            default_engine=settings.engine,
        )
        inbox.sweep()
        board.sweep()
        board.recover(workers)

        def info() -> ServerInfo:
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
                idle=settings.idle_limit,
                min_rate=settings.min_rate,
            ),
            token=settings.token or None,
        )
        supervisor = Supervisor(
            names=[f"{workers}{number}" for number in range(1, settings.workers + 1)],
            command=_worker_command,
            environment=child_environment(
                replace(settings, data_dir=str(directory.resolve())), secrets=("database",)
            ),
            died=board.release,
        )
        supervisor.start()
        stack.callback(supervisor.stop, GRACE)
        server.start()
        stack.callback(server.stop, GRACE)
        stack.enter_context(every(EXPIRE_EVERY, inbox.expire))
        yield Running(address=server.address, workers=supervisor.pids)


def work(settings: Settings, *, name: str, with_stdin: bool) -> None:
    """Run tasks under this name until told to end. Two workers of one name are refused."""
    ending = Ending(with_stdin=with_stdin)
    directory = data_directory(settings)
    media = media_of(settings)
    media.version()
    identity(directory)
    engine = open_database(_url(settings, directory / "facecli.db"))
    schema.check(engine)
    check_identity(directory, known=SqlDirectoryRows(engine).known)
    if not name or "/" in name or name.startswith("."):
        raise InvalidInput(f"{name!r} cannot be a worker's name")
    taken = f"a worker called {name} is running on {directory}; choose another --name"
    with locked(directory / "workers" / f"{name}.lock", taken=taken):
        swapping = Swapping(
            worker=name,
            rows=SqlTaskRows(engine),
            uploads=SqlUploadRows(engine),
            blobs=LocalBlobs(directory),
            media=media,
            engines=InstalledEngines(media),
            workspace=directory / "work",
            clock=time.time,
        )
        stopping = threading.Event()
        WorkRunner(
            _url(settings, directory / "queue.db"),
            worker=name,
            run=task_runner(swapping, stopping),
            errors=translated,
        )
        ending.wait()
        stopping.set()
        end_now()


def installed_engines(settings: Settings) -> Sequence[FoundEngine]:
    return InstalledEngines(media_of(settings)).found()


def ffmpeg_version(settings: Settings) -> str:
    """FfmpegMissing when there is none."""
    return media_of(settings).version()


def database_version(settings: Settings) -> str:
    """Of the PostgreSQL in the settings, with its name; Unavailable when it does not answer."""
    return version(settings.database)


def plain_engine(settings: Settings) -> tuple[FfmpegMedia, MockEngine]:
    """The mock engine on media that cut no video: a swap is then one ffmpeg command."""
    media = media_of(replace(settings, segment_megapixels=sys.maxsize))
    return media, MockEngine(media)


def media_of(settings: Settings) -> FfmpegMedia:
    limits = MediaLimits(max_pixels=settings.max_pixels, max_seconds=settings.max_video_seconds)
    return FfmpegMedia(wanted=settings.ffmpeg or None, limits=limits, work=settings.segment_megapixels)


def _check_bind(settings: Settings) -> None:
    checked_address(settings.bind, option="--bind", lowest_port=0)
    if not is_local(settings.bind) and not settings.insecure:
        raise PolicyRefused(
            f"{settings.bind} can be reached from other machines, and nothing that travels is encrypted; "
            "listen on 127.0.0.1 behind a tunnel or a TLS proxy, or say --insecure"
        )


def _url(settings: Settings, file: Path) -> str:
    return postgresql(settings.database) if settings.database else f"sqlite:///{file.resolve()}"


def _worker_command(name: str) -> list[str]:
    # -P: nothing that lies in the current directory is taken for a module.
    return [sys.executable, "-P", "-m", "facecli", "worker", "--name", name, "--with-stdin"]
