"""What servers and workers have in common, and `doctor` asks for."""

import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from facecli.blobs.local.store import LocalBlobs
from facecli.config.settings import Settings
from facecli.core.blobs import BlobStore
from facecli.core.engines import FoundEngine
from facecli.core.media import MediaLimits
from facecli.engines.mock import MockEngine
from facecli.engines.registry import InstalledEngines
from facecli.media.ffmpeg import FfmpegMedia
from facecli.media.sandbox.confine import can_forbid_sockets, landlock_abi
from facecli.metadata.database import version
from facecli.metadata.database_url import postgresql
from facecli.metadata.tasks import SqlTaskRepository
from facecli.metadata.workers import SqlWorkerRepository
from facecli.queue.client import WorkQueue
from facecli.tasks.recovery import Recovery


def ffmpeg_version(settings: Settings) -> str:
    """FfmpegMissing when there is none."""
    return media_of(settings).version()


def sandbox_status() -> tuple[int, bool]:
    """The Landlock ABI that confines ffmpeg here, 0 for none, and whether it is kept from making sockets."""
    return landlock_abi(), can_forbid_sockets()


def database_version(settings: Settings) -> str:
    """Of the PostgreSQL in the settings, with its name; Unavailable when it does not answer.

    InvalidInput for another kind of database.
    """
    return version(postgresql(settings.database))


def media_of(settings: Settings) -> FfmpegMedia:
    limits = MediaLimits(max_pixels=settings.max_pixels, max_seconds=settings.max_video_seconds)
    return FfmpegMedia(wanted=settings.ffmpeg or None, limits=limits, work=settings.segment_megapixels)


def recovery_of(
    settings: Settings, tasks: SqlTaskRepository, workers: SqlWorkerRepository, queue: WorkQueue
) -> Recovery:
    return Recovery(
        tasks=tasks, workers=workers, queue=queue, clock=time.time, max_crashes=settings.max_crashes
    )


def open_blob_store(settings: Settings, directory: Path) -> BlobStore:
    """The store of uploads and results that belongs to this data directory."""
    return LocalBlobs(directory, durable=settings.durability == "power")


def url(settings: Settings, file: Path) -> str:
    return postgresql(settings.database) if settings.database else f"sqlite:///{file.resolve()}"


def installed_engines(settings: Settings) -> Sequence[FoundEngine]:
    return InstalledEngines(media_of(settings)).found()


def plain_engine(settings: Settings) -> tuple[FfmpegMedia, MockEngine]:
    """The mock engine on media that cut no video: a swap is then one ffmpeg command."""
    media = media_of(replace(settings, segment_megapixels=sys.maxsize))
    return media, MockEngine(media)
