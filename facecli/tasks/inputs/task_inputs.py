"""TaskInputs: validates the files, engine and options of a new task."""

from collections.abc import Callable, Mapping

from facecli.core.errors import InvalidInput
from facecli.core.video.engines import Engines, FaceCheckingEngine, named_files
from facecli.core.video.formats import check_name
from facecli.core.video.plan import WHOLE, VideoInfo, VideoPart
from facecli.tasks.inputs.probes import FaceCheck, Probes
from facecli.tasks.provenance.terms import NO_TERMS, LabelRules, Terms
from facecli.tasks.task import NewTask, Priority
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
        probes: Probes,
        engines: Engines,
        default_engine: str,
        rules: LabelRules,
    ) -> None:
        self._upload_service = upload_service
        self._probes = probes
        self._engines = engines
        self._default_engine = default_engine
        self._rules = rules

    def checked(
        self,
        *,
        owner: str,
        image_url: str,
        video_url: str,
        engine: str,
        options: Mapping[str, str],
        part: VideoPart = WHOLE,
        key: str | None,
        fresh: bool = False,
        terms: Terms = NO_TERMS,
        priority: Priority = Priority.NORMAL,
        active: Callable[[], bool],
    ) -> NewTask:
        """A valid request; UploadNotFound, UploadUnfinished, MediaRefused or InvalidInput otherwise.

        Its labels follow from the terms, which `check_terms` checks. `active` is whether the caller still
        waits; errors also as `Probes.infos`.
        """
        _check_lengths(key or "", options)
        part.check()
        name, version = self.checked_engine(engine, options)
        new = NewTask(
            owner=owner,
            image=self._upload(image_url, FileType.IMAGE, owner),
            video=self._upload(video_url, FileType.VIDEO, owner),
            engine=name,
            engine_version=version,
            options=dict(options),
            part=part,
            key=key,
            fresh=fresh,
            labels=self._rules.labels_under(terms),
            terms=terms,
            priority=priority,
        )
        urls = named_files(self._engines.get(name), options).values()
        uploads = (new.image, new.video, *(self._upload(url, FileType.IMAGE, owner) for url in urls))
        infos = self._probes.infos(uploads, face=self._face_check(new), active=active)
        for upload, info in zip(uploads, infos, strict=True):
            if isinstance(info, VideoInfo):
                check_name(upload.name, info.container)
                part.check_within(info)
            else:
                check_name(upload.name, info.format)
        return new

    def checked_engine(self, engine: str, options: Mapping[str, str]) -> tuple[str, str]:
        """The name and version of an engine, by default the server's; InvalidInput for it or its options."""
        name = engine or self._default_engine
        chosen = self._engines.get(name)
        chosen.check(dict(options))
        return name, str(chosen.version)

    def check_terms(self, terms: Terms) -> None:
        """PolicyRefused for terms against the rules of this server."""
        self._rules.check(terms)

    def _face_check(self, new: NewTask) -> FaceCheck | None:
        engine = self._engines.get(new.engine)
        if not isinstance(engine, FaceCheckingEngine):
            return None
        name = f"{new.engine} {new.engine_version}"
        return FaceCheck(engine=name, run=lambda face, stopped: engine.check_face(face, stopped=stopped))

    def _upload(self, url: str, file_type: FileType, owner: str) -> Upload:
        upload = self._upload_service.file(url, owner=owner)
        if upload.file_type is not file_type:
            raise InvalidInput(
                f"{upload.name} was uploaded as {upload.file_type}, but is used as {file_type}"
            )
        return upload


def _check_lengths(key: str, options: Mapping[str, str]) -> None:
    """Bound what a client can store with a task."""
    if len(key) > MAX_KEY:
        raise InvalidInput(f"the idempotency key has {len(key)} characters, and may have {MAX_KEY}")
    size = sum(len(name) + len(value) for name, value in options.items())
    if size > MAX_OPTIONS:
        raise InvalidInput(f"the options have {size} characters, and may have {MAX_OPTIONS}")
