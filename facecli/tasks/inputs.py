"""TaskInputs: validates the files, engine and options of a new task."""

from collections.abc import Mapping
from pathlib import Path

from facecli.core.blobs import BlobStore, present
from facecli.core.errors import InvalidInput
from facecli.core.video.engines import Engines
from facecli.core.video.formats import check_name
from facecli.core.video.media import Media
from facecli.tasks.task import NewTask
from facecli.uploads.service import UploadService
from facecli.uploads.upload import FileType, Upload

MAX_KEY = 255  # characters of an idempotency key
MAX_OPTIONS = 16 * 1024  # characters of all names and values of a task's options


class TaskInputs:
    """Checks the files, the engine and its options before a task is created."""

    def __init__(
        self,
        *,
        upload_service: UploadService,
        blobs: BlobStore,
        media: Media,
        engines: Engines,
        default_engine: str,
    ) -> None:
        self._upload_service = upload_service
        self._blobs = blobs
        self._media = media
        self._engines = engines
        self._default_engine = default_engine

    def checked(
        self,
        *,
        owner: str,
        image_url: str,
        video_url: str,
        engine: str,
        options: Mapping[str, str],
        key: str | None,
        fresh: bool = False,
    ) -> NewTask:
        """A valid request; UploadNotFound, UploadUnfinished, MediaRefused or InvalidInput otherwise."""
        _check_lengths(key or "", options)
        name, version = self.checked_engine(engine, options)
        new = NewTask(
            owner=owner,
            image=self._upload(image_url, FileType.IMAGE, owner),
            video=self._upload(video_url, FileType.VIDEO, owner),
            engine=name,
            engine_version=version,
            options=dict(options),
            key=key,
            fresh=fresh,
        )
        check_name(new.image.name, self._media.probe_image(self._path(new.image)).format)
        check_name(new.video.name, self._media.probe_video(self._path(new.video)).container)
        return new

    def checked_engine(self, engine: str, options: Mapping[str, str]) -> tuple[str, str]:
        """The name and version of an engine, by default the server's; InvalidInput for it or its options."""
        name = engine or self._default_engine
        chosen = self._engines.get(name)
        chosen.check(dict(options))
        return name, str(chosen.version)

    def _upload(self, url: str, file_type: FileType, owner: str) -> Upload:
        upload = self._upload_service.file(url, owner=owner)
        if upload.file_type is not file_type:
            raise InvalidInput(
                f"{upload.name} was uploaded as {upload.file_type}, but is used as {file_type}"
            )
        return upload

    def _path(self, upload: Upload) -> Path:
        with present(f"{upload.name} (send them again with facecli upload --no-resume)"):
            return self._blobs.local_copy(upload.blob_key)


def _check_lengths(key: str, options: Mapping[str, str]) -> None:
    """Bound what a client can store with a task."""
    if len(key) > MAX_KEY:
        raise InvalidInput(f"the idempotency key has {len(key)} characters, and may have {MAX_KEY}")
    size = sum(len(name) + len(value) for name, value in options.items())
    if size > MAX_OPTIONS:
        raise InvalidInput(f"the options have {size} characters, and may have {MAX_OPTIONS}")
