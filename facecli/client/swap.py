"""The swap client: upload both files, create a task by an idempotency key, watch it, download."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from facecli.client.destination import Destination
from facecli.client.downloads import DownloadClient
from facecli.client.input_file import check_inputs, task_input
from facecli.client.tasks import TaskClient
from facecli.client.transfers import FileToSend
from facecli.client.uploads import UploadClient
from facecli.core.checksums import crc32c_of
from facecli.core.errors import ResultMissing, UnexpectedResponse, UploadNotFound
from facecli.core.progress import TransferProgress
from facecli.core.video.plan import WHOLE, VideoPart
from facecli.tasks.provenance.terms import NO_TERMS, Terms
from facecli.tasks.task import Priority, TaskFilter, TaskStatus
from facecli.tasks.view import TaskView
from facecli.uploads.upload import FileType, upload_id_of

MAX_TWINS = 10  # tasks with the checksum of an existing result that are compared


@dataclass(frozen=True, slots=True, kw_only=True)
class SwapRequest:
    """Two local files and the place of the result. `retry_for` is in seconds.

    With `fresh` a task that has ended is not used again.
    """

    image: Path
    video: Path
    output: Destination
    engine: str
    options: Mapping[str, str]
    chunk_size: int
    retry_for: float
    part: VideoPart = WHOLE
    fresh: bool = False
    notify: str = ""  # URL of a webhook
    terms: Terms = NO_TERMS
    priority: Priority = Priority.NORMAL


class SwapClient:
    """Runs a swap end to end. Running it again resumes it: by an idempotency key and resumed transfers."""

    def __init__(self, *, uploads: UploadClient, tasks: TaskClient, downloads: DownloadClient) -> None:
        self._uploads = uploads
        self._tasks = tasks
        self._downloads = downloads

    def finished(self, request: SwapRequest) -> TaskView | None:
        """The completed task of this very swap if the file at `output` is its result; sends no file."""
        check_inputs(request.image, request.video)
        engine = self._tasks.check(
            engine=request.engine, options=request.options, terms=request.terms, notify=request.notify
        )
        wanted = TaskFilter(status=TaskStatus.COMPLETED, result_crc32c=request.output.crc32c())
        for task in self._tasks.listed(wanted, limit=MAX_TWINS):
            name, version = engine
            if (
                (task.engine, task.options, task.part) == (name, request.options, request.part)
                # Behind a plus is what the worker alone knows, such as a digest of its weights.
                and f"{task.engine_version}+".startswith(f"{version}+")
                and request.output.holds(size=task.result_size, crc32c=task.result_crc32c)
                and self._has_terms(task.id, request.terms)
                and self._is_upload_of(task.image_url, request.image)
                and self._is_upload_of(task.video_url, request.video)
            ):
                return task
        return None

    def swap(
        self,
        request: SwapRequest,
        *,
        transfer: Callable[[], TransferProgress],
        changed: Callable[[TaskView], None],
        reused: Callable[[TaskView], None],
    ) -> TaskView:
        """Run the swap and return the completed task, its verified result at `output`.

        The files, the engine and its options are checked before a byte is sent. A task that failed in an
        earlier run is retried; `reused` gets one that had completed before.
        """
        check_inputs(request.image, request.video)
        image = task_input(request.image, FileType.IMAGE, transfer())
        video = task_input(request.video, FileType.VIDEO, transfer())
        engine = self._tasks.check(
            engine=request.engine, options=request.options, terms=request.terms, notify=request.notify
        )
        image_url, video_url = self._upload(request, image), self._upload(request, video)
        task = self._tasks.create(
            image_url=image_url,
            video_url=video_url,
            engine=request.engine,
            options=request.options,
            part=request.part,
            key=swap_key(image_url, video_url, engine, request.options, request.part, request.terms),
            fresh=request.fresh,
            notify=request.notify,
            terms=request.terms,
            priority=request.priority,
        )
        if task.status is TaskStatus.COMPLETED:
            reused(task)
        if task.status in {TaskStatus.FAILED, TaskStatus.CANCELLED}:
            task = self._tasks.retry(task.id)
        changed(task)
        if not task.ended:
            for change in self._tasks.watch(task.id, retry_for=request.retry_for):
                task = change
                changed(task)
        if task.status is not TaskStatus.COMPLETED:
            raise task.unsuccessful()
        if not task.result_url:
            raise UnexpectedResponse(f"the server sent task {task.id} as completed without a result")
        self._downloads.download_to(
            task.result_url, request.output, retry_for=request.retry_for, progress=transfer()
        )
        return task

    def _upload(self, request: SwapRequest, file: FileToSend) -> str:
        sent = self._uploads.send_one(file, chunk_size=request.chunk_size, retry_for=request.retry_for)
        return sent.file_url

    def _has_terms(self, task_id: str, terms: Terms) -> bool:
        """Whether a result was made with the same waiver and consent; a server without records knows none."""
        try:
            record = json.loads(self._tasks.provenance(task_id).record)
        except (ResultMissing, UnexpectedResponse):
            return terms == NO_TERMS
        waiver, consent = (record.get(name) or {} for name in ("waiver", "consent"))
        wanted = terms.consent.sha256 if terms.consent else None
        return (waiver.get("reason", ""), consent.get("sha256")) == (terms.waiver, wanted)

    def _is_upload_of(self, file_url: str, path: Path) -> bool:
        try:
            upload = self._uploads.get(upload_id_of(file_url))
        except UploadNotFound:
            return False
        if upload.size != path.stat().st_size:
            return False
        with path.open("rb") as file:
            return upload.crc32c == crc32c_of(file)


def swap_key(
    image_url: str,
    video_url: str,
    engine: tuple[str, str],
    options: Mapping[str, str],
    part: VideoPart,
    terms: Terms,
) -> str:
    """The idempotency key: the same files, part, engine, version of it and options are the same swap."""
    times = [] if part == WHOLE else [[part.start, part.end]]
    stated = [terms.as_json()] if terms != NO_TERMS else []
    content = json.dumps([image_url, video_url, *engine, sorted(options.items()), *times, *stated])
    return "swap-" + hashlib.sha256(content.encode()).hexdigest()[:32]
