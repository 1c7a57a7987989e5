"""Server information: the capabilities and limits that a server reports to clients."""

import time
from collections.abc import Callable, Iterator

from facecli import __version__
from facecli.api.server_info import ServerInfo
from facecli.config.settings import Settings
from facecli.core.blobs import BlobStore
from facecli.core.labels.labels import LabelPolicy
from facecli.core.video.formats import FormatKind, api_names
from facecli.engines.registry import InstalledEngines
from facecli.tasks.leases import WorkerRepository
from facecli.tasks.provenance.terms import LabelRules
from facecli.uploads.quota import Quota
from facecli.uploads.upload import CHUNK_SIZE, FRAME_SIZE, MAX_CHUNK_SIZE

FEATURES = ("resume", "watch", "retry", "idempotent-create", "download", "delete", "preview", "notify")


def server_info(
    settings: Settings,
    *,
    engines: InstalledEngines,
    default_engine: str,
    ffmpeg: str,
    blobs: BlobStore,
    quota: Quota,
    rules: LabelRules,
    workers: WorkerRepository,
) -> Callable[[str], ServerInfo]:
    """Return a function that describes the server to a user, with current values."""

    def describe(user: str) -> ServerInfo:
        return ServerInfo(
            version=__version__,
            chunk_size=CHUNK_SIZE,
            max_chunk_size=MAX_CHUNK_SIZE,
            frame_size=FRAME_SIZE,
            max_file_size=settings.max_file_size,
            engines=tuple(engines.names()),
            default_engine=default_engine,
            engine_infos=tuple(info for info in engines.infos() if not info.broken),
            image_formats=api_names(FormatKind.IMAGE),
            video_formats=api_names(FormatKind.VIDEO),
            features=(*FEATURES, *_features_of(rules), f"durability-{settings.durability}"),
            ffmpeg=ffmpeg,
            free_bytes=blobs.free_bytes(),
            upload_expiry=int(settings.upload_expiry),
            max_pixels=settings.max_pixels,
            max_video_seconds=settings.max_video_seconds,
            max_user_bytes=settings.max_user_bytes,
            max_user_unfinished=settings.max_user_unfinished,
            max_user_waiting=settings.max_user_waiting,
            user_bytes=quota.used(user).stored,
            time=time.time(),
            worker_versions=tuple(sorted({worker.version for worker in workers.listed()} - {""})),
        )

    return describe


def _features_of(rules: LabelRules) -> Iterator[str]:
    """The rules for terms, so that a form can ask for what a task needs."""
    if rules.consent_required:
        yield "consent-required"
    if rules.policy is LabelPolicy.DEFAULT:
        yield "label-waiver"
