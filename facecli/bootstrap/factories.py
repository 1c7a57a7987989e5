"""Factories shared by server, worker, maintenance and `doctor`."""

import logging
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

from facecli.blobs.privacy import OPEN as OPEN
from facecli.blobs.privacy import close_to_others, mode_of, private_files
from facecli.config.settings import Settings
from facecli.core.errors import InvalidInput
from facecli.core.events import EventBus
from facecli.core.garbage import OrphanPolicy
from facecli.core.labels.aigc import is_value
from facecli.core.labels.labels import LabelFrames, LabelPolicy, Labels, LabelText
from facecli.core.private_files import read_private
from facecli.core.video.engines import EngineInfo
from facecli.core.video.media import Media, MediaLimits
from facecli.engines.inswapper.weights import OwnWeights, Provider
from facecli.engines.mesh.likeness import measure_likeness as measure_likeness
from facecli.engines.mock import MockEngine
from facecli.engines.registry import InstalledEngines
from facecli.media.ffmpeg import FfmpegMedia
from facecli.media.labels.labeller import FfmpegLabeller
from facecli.media.labels.manifest import ManifestSigner
from facecli.media.sandbox.landlock import landlock_abi
from facecli.media.sandbox.seccomp import can_forbid_sockets
from facecli.metadata.database import translate_errors
from facecli.metadata.database_url import postgresql_url
from facecli.metadata.directories import SqlDirectoryRepository
from facecli.metadata.write_lock import write_lock_holder
from facecli.queue.client import DbosTaskQueue
from facecli.queue.file import REMEDY
from facecli.tasks.leases import Worker, WorkerRepository
from facecli.tasks.logs.repository import TaskLogRepository
from facecli.tasks.logs.server_log import ServerLog
from facecli.tasks.provenance.terms import LabelRules
from facecli.tasks.recovery import Recovery
from facecli.tasks.store import TaskStore
from facecli.uploads.quota import UserLimits
from facecli.worker.capabilities import Capabilities

EMBEDDED_PREFIX = "worker-"  # of the names of a server's own workers, before data directory id and number

_log = logging.getLogger(__name__)


def ffmpeg_version(settings: Settings) -> str:
    """The version of ffmpeg; FfmpegMissing if it is not installed."""
    return ffmpeg_media(settings).version()


def sandbox_status() -> tuple[int, bool]:
    """The Landlock ABI of the ffmpeg sandbox (0: none), and whether the sandbox forbids sockets."""
    return landlock_abi(), can_forbid_sockets()


def database_url(settings: Settings, file: Path) -> str:
    """The URL of the PostgreSQL in the settings, by default that of an SQLite file."""
    return postgresql_url(settings.database) if settings.database else f"sqlite:///{file.resolve()}"


def queue_file(directory: Path) -> Path:
    """The SQLite file of the queue."""
    return directory / "queue.db"


def queue_errors() -> AbstractContextManager[None]:
    """Translate errors of the queue's database."""
    return translate_errors(subject="the task queue", remedy=REMEDY)


def ffmpeg_media(settings: Settings) -> FfmpegMedia:
    limits = MediaLimits(max_pixels=settings.max_pixels, max_seconds=settings.max_video_seconds)
    return FfmpegMedia(
        wanted=settings.ffmpeg or None, limits=limits, segment_megapixels=settings.segment_megapixels
    )


def ffmpeg_labeller(settings: Settings, *, signs: bool = False) -> FfmpegLabeller:
    limits = MediaLimits(max_pixels=settings.max_pixels, max_seconds=settings.max_video_seconds)
    signer = manifest_signer(settings) if signs else None
    return FfmpegLabeller(wanted=settings.ffmpeg or None, limits=limits, signer=signer)


def manifest_signer(settings: Settings) -> ManifestSigner | None:
    """The configured signer of C2PA manifests; InvalidInput if it cannot be used, None without one."""
    certificate, key = settings.label_c2pa_cert, settings.label_c2pa_key
    if not certificate and not key:
        return None
    if not certificate or not key:
        raise InvalidInput("C2PA signing needs both label_c2pa_cert and label_c2pa_key")
    if find_spec("c2pa") is None:
        raise InvalidInput("label_c2pa_cert needs the extra c2pa: pip install c2pa-python")
    if settings.label_c2pa_tsa and not settings.label_c2pa_tsa.startswith(("http://", "https://")):
        raise InvalidInput("label_c2pa_tsa must be a URL that begins with http:// or https://")
    read_private(key, what="C2PA key")
    if not Path(certificate).is_file():
        raise InvalidInput(f"there is no C2PA certificate {certificate}")
    time_stamp = settings.label_c2pa_tsa
    return ManifestSigner(certificate=Path(certificate), key=Path(key), time_stamp=time_stamp)


def label_rules(settings: Settings) -> LabelRules:
    """The rules for labels of new tasks; InvalidInput for a producer that a label cannot name."""
    producer = settings.label_producer
    if not producer or not is_value(producer):
        raise InvalidInput(
            f"label_producer {producer!r} must consist of visible ASCII characters without spaces"
        )
    return LabelRules(
        policy=LabelPolicy(settings.label_policy),
        labels=Labels(
            producer=producer,
            text=LabelText(settings.label_text),
            frames=LabelFrames(settings.label_frames),
        ),
        consent_required=settings.consent_required,
    )


@contextmanager
def private_data_directory(directory: Path) -> Iterator[None]:
    """Close the data directory to other users, and create no file in it that they could read."""
    with private_files():
        if close_to_others(directory):
            _log.warning("data directory closed to other users", extra={"directory": str(directory)})
        yield


def directory_mode(directory: Path) -> int:
    """The permission bits of a data directory; 0 if there is none yet."""
    return mode_of(directory)


def orphan_policy(directories: SqlDirectoryRepository) -> OrphanPolicy:
    """The policy that keeps orphaned files which are younger than the newest row of the database."""
    return OrphanPolicy(newest_row=directories.newest_row, clock=time.time)


def installed_engines(settings: Settings) -> tuple[Sequence[EngineInfo], str]:
    """The engines of this installation, usable or not, and the name of the default one."""
    engines = create_engines(settings, ffmpeg_media(settings))
    return engines.start(), settings.engine or engines.default()[0]


def create_engines(settings: Settings, media: Media) -> InstalledEngines:
    weights = OwnWeights(
        swapper=settings.inswapper_model,
        swapper_sha256=settings.inswapper_model_sha256,
        recognizer=settings.inswapper_recognizer,
        recognizer_sha256=settings.inswapper_recognizer_sha256,
        provider=Provider(settings.inswapper_provider),
    )
    return InstalledEngines(media, weights=weights)


def plain_engine(settings: Settings) -> tuple[FfmpegMedia, MockEngine]:
    """The mock engine with one segment per video: a swap is then one ffmpeg command."""
    media = ffmpeg_media(replace(settings, segment_megapixels=sys.maxsize))
    return media, MockEngine(media)


def create_recovery(
    settings: Settings,
    *,
    tasks: TaskStore,
    logs: TaskLogRepository,
    workers: WorkerRepository,
    queue: DbosTaskQueue,
    events: EventBus,
) -> Recovery:
    return Recovery(
        tasks=tasks,
        log=ServerLog(logs),
        workers=workers,
        queue=queue,
        events=events,
        max_crashes=settings.max_crashes,
    )


def user_limits(settings: Settings) -> UserLimits:
    return UserLimits(
        stored=settings.max_user_bytes,
        unfinished=settings.max_user_unfinished,
        waiting=settings.max_user_waiting,
    )


def create_capabilities(settings: Settings, *, workers: WorkerRepository, data_dir_id: str) -> Capabilities:
    def is_own(worker: Worker) -> bool:
        return worker.data_dir_id == data_dir_id and worker.name.startswith(EMBEDDED_PREFIX)

    return Capabilities(workers, own_workers=settings.workers, is_own=is_own)


def lock_holders(settings: Settings, directory: Path) -> set[int]:
    """The processes that hold the write lock of an SQLite file."""
    files = [] if settings.database else [directory / "facecli.db", queue_file(directory)]
    return {pid for pid in map(write_lock_holder, files) if pid}


def worker_command(name: str) -> list[str]:
    """The command of a worker that a server starts."""
    # -P keeps the current directory off the module search path.
    return [sys.executable, "-P", "-m", "facecli", "worker", "--name", name, "--with-stdin"]
