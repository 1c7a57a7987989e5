"""Previews: swaps some frames of a video and composes them before and after in one picture.

Theory of operation: a preview takes the path of a task, in this process and without a queue: the same checks
of its inputs, the same plan, and the engine's `swap` for segments of one frame, so a frame looks as it will
in the result. Nothing is stored: its files are in a directory of its own below that of the checkpoints,
which is deleted at the end; what a crash leaves there is garbage like orphaned checkpoints.
"""

import threading
import uuid
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from facecli.core.blobs import BlobStore, present
from facecli.core.errors import FacecliError, InvalidInput, LimitReached, MediaRefused, NotReady, TimedOut
from facecli.core.labels.labels import BurntLabel
from facecli.core.os_errors import translate_os_errors
from facecli.core.video import engines
from facecli.core.video.media import Media
from facecli.core.video.plan import VideoPart, VideoPlan
from facecli.core.video.sheet import MAX_SHEET_FRAMES, SHEET_FRAMES, of_frames
from facecli.tasks.checkpoints.files import delete_checkpoints
from facecli.tasks.inputs.task_inputs import TaskInputs
from facecli.tasks.logs.redaction import redacted
from facecli.tasks.previews.request import PreviewRequest
from facecli.tasks.task import NewTask
from facecli.tasks.time_limits import Deadline, within
from facecli.uploads.service import UploadService
from facecli.uploads.stored_file import StoredFile

MAX_SECONDS = 60.0
MAX_PREPARED = 32  # engine plans that are kept, so that another look at the same video begins at once
THREADS = 2  # frames of one preview at a time; an engine takes about one core for each

_Key = tuple[str, str, str, str, tuple[tuple[str, str], ...]]


class Previews:
    """Makes previews; the caller limits how many at a time. Safe to use from many threads."""

    def __init__(
        self,
        *,
        inputs: TaskInputs,
        uploads: UploadService,
        blobs: BlobStore,
        media: Media,
        engines: engines.Engines,
        workspace: Path,
    ) -> None:
        self._inputs = inputs
        self._uploads = uploads
        self._blobs = blobs
        self._media = media
        self._engines = engines
        self._workspace = workspace
        self._started = set[str]()  # engines
        self._prepared = OrderedDict[_Key, Mapping[str, Any]]()
        self._lock = threading.Lock()

    def make(self, request: PreviewRequest, *, active: Callable[[], bool]) -> bytes:
        """A JPEG. Refused as a task with these inputs; LimitReached when it takes too long.

        `active` is whether the caller still waits; Cancelled once it is false.
        """
        self._inputs.check_terms(request.terms)
        for time in request.at:
            VideoPart(start=time).check()
        if len(request.at) > MAX_SHEET_FRAMES:
            raise InvalidInput(f"a preview has at most {MAX_SHEET_FRAMES} frames, not {len(request.at)}")
        new = self._inputs.checked(
            owner=request.owner,
            image_url=request.image_url,
            video_url=request.video_url,
            engine=request.engine,
            options=request.options,
            part=VideoPart(start=max(request.at, default=0)),
            key=None,
            terms=request.terms,
            active=active,
        )
        deadline = Deadline(MAX_SECONDS, subject="the preview", setting="limit of previews")
        try:
            with (
                self._folder() as folder,
                within(lambda: not active(), deadline) as stopped,
                ExitStack() as copies,
            ):
                return self._made(new, request.at, folder, copies, stopped)
        except TimedOut as error:
            raise LimitReached(f"{error.message}; ask for fewer frames with --at") from error
        except FacecliError as error:
            if type(error) is FacecliError:  # of an engine, which would fail the task
                raise NotReady(f"engine {new.engine} failed: {redacted(error.message)}") from error
            raise

    def _made(
        self,
        new: NewTask,
        at: Sequence[int],
        folder: Path,
        copies: ExitStack,
        stopped: Callable[[], bool],
    ) -> bytes:
        engine = self._usable(new.engine)
        named = {
            name: self._uploads.file(url, owner=new.owner)
            for name, url in engines.named_files(engine, new.options).items()
        }
        stored = []
        for upload in (new.image, new.video, *named.values()):
            with present(upload.name):
                copy = self._blobs.local_copy(upload.blob_key, stopped=stopped)
                stored.append(StoredFile(upload, copies.enter_context(copy)))
        face, video, *others = (each.path for each in stored)
        try:
            plan = self._media.plan(video, stills=at or SHEET_FRAMES)
            job = engines.PrepareJob(
                face=face,
                video=video,
                info=plan.info,
                options=new.options,
                files=dict(zip(named, others, strict=True)),
            )
            prepared = self._plan_of(new, engine, job, stopped)
            if new.labels:
                label = BurntLabel(text=new.labels.text)
                plan = replace(plan, stills=tuple(replace(still, label=label) for still in plan.stills))
            frames = _swapped(engine, job, plan, prepared, folder, stopped)
            sheet = folder / "sheet.jpg"
            self._media.compose_sheet(plan.info, list(of_frames(video, frames, plan)), sheet, stopped=stopped)
        except MediaRefused:
            for each in stored:
                each.verify(stopped)  # blame a damaged file on the store, not on its owner
            raise
        return sheet.read_bytes()

    def _plan_of(
        self, new: NewTask, engine: engines.Engine, job: engines.PrepareJob, stopped: Callable[[], bool]
    ) -> Mapping[str, Any]:
        """Return the plan of the engine for the whole video, made now or for an earlier preview."""
        if not isinstance(engine, engines.PreparingEngine):
            return {}
        options = tuple(sorted(new.options.items()))
        key = (new.image.id, new.video.id, new.engine, new.engine_version, options)
        with self._lock:
            found = self._prepared.get(key)
        if found is None:
            found = engine.prepare(job, stopped=stopped)
            with self._lock:
                self._prepared[key] = found
                while len(self._prepared) > MAX_PREPARED:
                    self._prepared.popitem(last=False)
        return found

    def _usable(self, name: str) -> engines.Engine:
        """The engine; NotReady when only workers on other machines can run it."""
        engine = self._engines.get(name)
        with self._lock:
            if isinstance(engine, engines.StartingEngine) and name not in self._started:
                try:
                    engine.start()
                except FacecliError as error:
                    raise NotReady(
                        f"this server cannot run engine {name} itself ({error.message}); "
                        "create a task for a short part instead, with --from and --to"
                    ) from error
            self._started.add(name)
        return engine

    @contextmanager
    def _folder(self) -> Iterator[Path]:
        """A directory for one preview, which is deleted."""
        folder = self._workspace / f"preview-{uuid.uuid4().hex}"
        with translate_os_errors("a preview"):
            folder.mkdir(parents=True)
        try:
            yield folder
        finally:
            delete_checkpoints(folder)


def _swapped(
    engine: engines.Engine,
    job: engines.PrepareJob,
    plan: VideoPlan,
    prepared: Mapping[str, Any],
    folder: Path,
    stopped: Callable[[], bool],
) -> list[Path]:
    """Swap the single frames of the plan, some at a time; the files of one frame each, in order."""
    failed = threading.Event()

    def swap(index: int) -> Path:
        output = folder / str(index) / "frame.mp4"
        with translate_os_errors("a preview"):
            output.parent.mkdir()
        still = engines.SwapJob(
            face=job.face,
            video=job.video,
            segment=plan.stills[index],
            output=output,
            info=plan.info,
            options=job.options,
            plan=prepared,
            stills=[plan.stills[index].before],
        )
        try:
            engine.swap(still, progress=lambda frames: None, stopped=lambda: failed.is_set() or stopped())
        except BaseException:
            failed.set()
            raise
        return output

    with ThreadPoolExecutor(THREADS, thread_name_prefix="preview") as pool:
        return list(pool.map(swap, range(len(plan.stills))))
