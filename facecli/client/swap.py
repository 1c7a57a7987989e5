"""The swap client: upload both files, create a task by an idempotency key, watch it, download."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from facecli.client.downloads import DownloadClient
from facecli.client.input_file import check_order, task_input
from facecli.client.tasks import TaskClient
from facecli.client.transfers import FileToSend
from facecli.client.uploads import UploadClient
from facecli.core.errors import TaskUnsuccessful
from facecli.core.progress import TransferProgress
from facecli.tasks.task import TaskStatus
from facecli.tasks.view import TaskView
from facecli.uploads.upload import FileType


@dataclass(frozen=True, slots=True, kw_only=True)
class SwapRequest:
    """Two local files and the path of the result. `retry_for` and `timeout` are in seconds."""

    image: Path
    video: Path
    output: Path
    engine: str
    options: Mapping[str, str]
    chunk_size: int
    retry_for: float
    timeout: float | None = None


class SwapClient:
    """Runs a swap end to end. Running it again resumes it: by an idempotency key and resumed transfers."""

    def __init__(self, *, uploads: UploadClient, tasks: TaskClient, downloads: DownloadClient) -> None:
        self._uploads = uploads
        self._tasks = tasks
        self._downloads = downloads

    def swap(
        self,
        request: SwapRequest,
        *,
        transfer: Callable[[], TransferProgress],
        changed: Callable[[TaskView], None],
        waiting: Callable[[str, float], None],
    ) -> TaskView:
        """Run the swap and return the completed task, its verified result at `output`.

        A task that failed in an earlier run is retried.
        """
        check_order(request.image, request.video)
        image = task_input(request.image, FileType.IMAGE, transfer())
        video = task_input(request.video, FileType.VIDEO, transfer())
        image_url, video_url = self._upload(request, image), self._upload(request, video)
        task = self._tasks.create(
            image_url=image_url,
            video_url=video_url,
            engine=request.engine,
            options=request.options,
            key=_key(image_url, video_url, request),
        )
        if task.status in {TaskStatus.FAILED, TaskStatus.CANCELLED}:
            task = self._tasks.retry(task.id)
        changed(task)
        if not task.ended:
            for change in self._tasks.watch(
                task.id, retry_for=request.retry_for, timeout=request.timeout, waiting=waiting
            ):
                task = change
                changed(task)
        if task.status is not TaskStatus.COMPLETED:
            raise TaskUnsuccessful(task.outcome)
        self._downloads.download(
            task.result_url, request.output, retry_for=request.retry_for, progress=transfer()
        )
        return task

    def _upload(self, request: SwapRequest, file: FileToSend) -> str:
        sent = self._uploads.send_one(file, chunk_size=request.chunk_size, retry_for=request.retry_for)
        return sent.file_url


def _key(image_url: str, video_url: str, request: SwapRequest) -> str:
    """The idempotency key: the same files, engine and options are the same swap."""
    content = json.dumps([image_url, video_url, request.engine, sorted(request.options.items())])
    return "swap-" + hashlib.sha256(content.encode()).hexdigest()[:32]
