"""Picks and joins the implementations; the only file that may."""

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from facecli import __version__
from facecli.blobs.local import LocalBlobs
from facecli.blobs.lock import locked
from facecli.config import Settings, asks_who, child_environment, data_directory, server_tls
from facecli.core.addresses import check_guarded, checked_address
from facecli.core.auth import Tokens
from facecli.core.downloads import Downloads
from facecli.core.errors import BytesDiffer, InvalidInput
from facecli.core.inbox import Inbox, InboxLimits
from facecli.core.media import MediaLimits
from facecli.core.server_info import ServerInfo
from facecli.core.swapping import Swapping
from facecli.core.task_board import TaskBoard
from facecli.core.uploads import CHUNK_SIZE, FRAME_SIZE, MAX_CHUNK_SIZE
from facecli.engines.registry import InstalledEngines
from facecli.media.ffmpeg import FfmpegMedia
from facecli.metadata import schema
from facecli.metadata.database import open_database
from facecli.metadata.feed import PollingFeed
from facecli.metadata.tasks import SqlTaskRows
from facecli.metadata.tokens import SqlTokenRows
from facecli.metadata.uploads import SqlUploadRows
from facecli.queue.runner import WorkRunner
from facecli.queue.work import WorkQueue, prepare
from facecli.service.callers import Callers
from facecli.service.housekeeping import every
from facecli.service.server import Server, ServerLimits
from facecli.worker.process import Ending, end_now
from facecli.worker.supervisor import Supervisor
from facecli.worker.tasks import task_runner

EMBEDDED = "worker-"  # what the workers of a server are called
EXPIRE_EVERY = 60.0  # seconds between two looks for abandoned uploads
GRACE = 5.0  # seconds that running calls and workers get to end
FEATURES = ("resume", "watch", "retry", "idempotent-create", "download")
VIDEO_FORMATS = ("mp4", "mov", "mkv", "webm", "avi", "ts")
IMAGE_FORMATS = ("jpeg", "png", "webp")


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A server that listens at `address`."""

    address: str


@contextmanager
def serving(settings: Settings) -> Iterator[Running]:
    """A whole server with its workers; stopped gracefully on leaving.

    FfmpegMissing, DirectoryInUse, PolicyRefused or InvalidInput before anything was started.
    """
    _check_bind(settings)
    media = _media(settings)
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
        engine = open_database(_url(directory, "facecli.db"), durable=durable)
        stack.callback(engine.dispose)
        schema.upgrade(engine)
        prepare(_url(directory, "queue.db"))
        queue = WorkQueue(_url(directory, "queue.db"))
        stack.callback(queue.close)
        blobs = LocalBlobs(directory, durable=durable)
        inbox = Inbox(
            rows=SqlUploadRows(engine),
            blobs=blobs,
            clock=time.time,
            limits=InboxLimits(max_file_size=settings.max_file_size, expiry=settings.upload_expiry),
        )
        rows = SqlTaskRows(engine)
        board = TaskBoard(
            rows=rows,
            inbox=inbox,
            blobs=blobs,
            feed=PollingFeed(rows),
            queue=queue,
            media=media,
            engines=engines,
            clock=time.time,
            default_engine=settings.engine,
        )
        inbox.sweep()
        board.sweep()
        board.recover(EMBEDDED)

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
            callers=Callers(Tokens(SqlTokenRows(engine), clock=time.time) if asks_who(settings) else None),
            tls=server_tls(settings),
        )
        supervisor = Supervisor(
            names=[f"{EMBEDDED}{number}" for number in range(1, settings.workers + 1)],
            command=_worker_command,
            environment=child_environment(replace(settings, data_dir=str(directory.resolve()))),
            died=board.release,
        )
        supervisor.start()
        stack.callback(supervisor.stop, GRACE)
        server.start()
        stack.callback(server.stop, GRACE)
        stack.enter_context(every(EXPIRE_EVERY, inbox.expire))
        yield Running(address=server.address)


@contextmanager
def tokens(settings: Settings) -> Iterator[Tokens]:
    """Those of a server, whether it runs or not."""
    directory = data_directory(settings)
    try:
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise InvalidInput(f"cannot use the directory {directory}: {error.strerror}") from error
    engine = open_database(_url(directory, "facecli.db"))
    try:
        schema.upgrade(engine)
        yield Tokens(SqlTokenRows(engine), clock=time.time)
    finally:
        engine.dispose()


def work(settings: Settings, *, name: str, with_stdin: bool) -> None:
    """Run tasks under this name until told to end. Two workers of one name are refused."""
    ending = Ending(with_stdin=with_stdin)
    directory = data_directory(settings)
    media = _media(settings)
    media.version()
    _check_prepared(directory)
    engine = open_database(_url(directory, "facecli.db"))
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
        WorkRunner(_url(directory, "queue.db"), worker=name, run=task_runner(swapping, stopping))
        ending.wait()
        stopping.set()
        end_now()


def ffmpeg_version(settings: Settings) -> str:
    """FfmpegMissing when there is none."""
    return _media(settings).version()


def make_samples(settings: Settings, folder: Path, *, seconds: int) -> tuple[Path, Path]:
    """A drawn face and a moving clip with sound, made on the spot."""
    media = _media(settings)
    face, clip = folder / "face.png", folder / "clip.mp4"
    media.make_face(face)
    media.make_clip(clip, seconds=seconds, width=1280, height=720)
    return face, clip


def check_result(settings: Settings, *, video: Path, result: Path) -> str:
    """A sentence about a result with the video's frames, size, length and sound; BytesDiffer otherwise."""
    media = _media(settings)
    was, now = media.probe_video(video), media.probe_video(result)
    same = (was.frames, was.width, was.height) == (now.frames, now.width, now.height)
    if not same or abs(was.duration - now.duration) > 1 / was.rate or bool(was.sound) != bool(now.sound):
        raise BytesDiffer(f"{result} is not what {video} should have become: {now}, not {was}")
    return (
        f"checked: {now.frames} frames of {now.width} × {now.height}, {now.duration:.2f} s, "
        f"{now.codec} and {now.sound or 'no sound'}, as in the clip"
    )


def _media(settings: Settings) -> FfmpegMedia:
    limits = MediaLimits(max_pixels=settings.max_pixels, max_seconds=settings.max_video_seconds)
    return FfmpegMedia(wanted=settings.ffmpeg or None, limits=limits)


def _check_bind(settings: Settings) -> None:
    checked_address(settings.bind, option="--bind", lowest_port=0)
    if not settings.insecure:
        check_guarded(settings.bind, tls=bool(settings.tls_cert), asks_who=asks_who(settings))


def _url(directory: Path, name: str) -> str:
    return f"sqlite:///{directory.resolve() / name}"


def _check_prepared(directory: Path) -> None:
    if not (directory / "queue.db").exists():
        raise InvalidInput(
            f"{directory} is not the data directory of a server; start facecli serve on it first"
        )


def _worker_command(name: str) -> list[str]:
    # -P: nothing that lies in the current directory is taken for a module.
    return [sys.executable, "-P", "-m", "facecli", "worker", "--name", name, "--with-stdin"]
