"""The swap client: upload both files, create a task by an idempotency key, watch it, download."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from facecli.client.downloads import DownloadClient
from facecli.client.tasks import TaskClient
from facecli.client.transfers import FileToSend
from facecli.client.uploads import UploadClient
from facecli.core.errors import TaskUnsuccessful, UnexpectedResponse
from facecli.core.progress import TransferProgress
from facecli.tasks.task import TaskStatus
from facecli.tasks.view import TaskView
from facecli.uploads.upload import FileType


@dataclass(frozen=True, slots=True, kw_only=True)
class SwapRequest:
    """Two local files and the path of the result. `retry_for` is in seconds."""

    image: Path
    video: Path
    output: Path
    engine: str
    options: Mapping[str, str]
    chunk_size: int
    retry_for: float


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
    ) -> TaskView:
        """Run the swap and return the completed task, its verified result at `output`.

        A task that failed in an earlier run is retried.
        """
        image_url = self._upload(request, request.image, FileType.IMAGE, transfer())
        video_url = self._upload(request, request.video, FileType.VIDEO, transfer())
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
            for change in self._tasks.watch(task.id, retry_for=request.retry_for):
                task = change
                changed(task)
        if task.status is not TaskStatus.COMPLETED:
            raise TaskUnsuccessful(task.outcome)
        if not task.result_url:
            raise UnexpectedResponse(f"the server sent task {task.id} as completed without a result")
        self._downloads.download(
            task.result_url, request.output, retry_for=request.retry_for, progress=transfer()
        )
        return task

    def _upload(
        self, request: SwapRequest, path: Path, file_type: FileType, progress: TransferProgress
    ) -> str:
        file = FileToSend(path=path, name=path.name, file_type=file_type, progress=progress)
        sent = self._uploads.send_one(file, chunk_size=request.chunk_size, retry_for=request.retry_for)
        return sent.file_url


def _key(image_url: str, video_url: str, request: SwapRequest) -> str:
    """The idempotency key: the same files, engine and options are the same swap."""
    content = json.dumps([image_url, video_url, request.engine, sorted(request.options.items())])
    return "swap-" + hashlib.sha256(content.encode()).hexdigest()[:32]
