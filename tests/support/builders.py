"""Builders of uploads, tasks and plans: a test names only the values that matter to it."""

from dataclasses import replace
from fractions import Fraction
from functools import partial
from typing import Any

from facecli.core.video.media import Segment, Sound, VideoInfo, VideoPlan
from facecli.tasks import transitions
from facecli.tasks.repository import TaskRepository
from facecli.tasks.task import NewTask, Result, Task, TaskStatus
from facecli.uploads.upload import FileType, Upload, UploadStatus

RESULT = Result(blob_key="outputs/t1/r1", size=5, crc32c=1)

_UPLOAD = Upload(
    id="u1",
    blob_key="uploads/u1",
    owner="ann",
    name="clip.mp4",
    file_type=FileType.VIDEO,
    size=25,
    chunk_size=10,
    total_chunks=3,
    fingerprint=None,
    status=UploadStatus.INCOMPLETE,
    epoch=0,
    stored_bytes=0,
    stored_chunks=0,
    crc32c=None,
    created_at=0.0,
    updated_at=0.0,
    expires_at=0.0,
)
_TASK = Task(
    id="t1",
    owner="ann",
    status=TaskStatus.PENDING,
    progress=0,
    frames_done=0,
    frames=0,
    stage="",
    revision=1,
    round=1,
    attempt=0,
    run="",
    worker="",
    engine="mock",
    options={},
    image_id="i1",
    video_id="v1",
    image_url="/uploads/i1/ann.png",
    video_url="/uploads/v1/clip%201.mp4",
    key=None,
    result=None,
    error_reason="",
    error_message="",
    created_at=0.0,
    updated_at=0.0,
)
_STATES: dict[TaskStatus, dict[str, Any]] = {
    TaskStatus.PROCESSING: {
        "progress": 40,
        "frames_done": 100,
        "stage": "swapping",
        "run": "r1",
        "worker": "w1",
    },
    TaskStatus.COMPLETED: {"result": RESULT},
    TaskStatus.FAILED: {"error_reason": "MEDIA_REFUSED", "error_message": "no frames"},
}


def upload(**changed: Any) -> Upload:
    """An upload that has just been created, with these values changed."""
    return replace(_UPLOAD, **changed)


def complete_upload(upload_id: str, name: str, file_type: FileType) -> Upload:
    return upload(
        id=upload_id,
        blob_key=f"uploads/{upload_id}",
        name=name,
        file_type=file_type,
        size=10,
        total_chunks=1,
        status=UploadStatus.COMPLETED,
        epoch=1,
        stored_bytes=10,
        stored_chunks=1,
        crc32c=1,
    )


def task(**changed: Any) -> Task:
    """A task that has just been created, with these values changed."""
    return replace(_TASK, **changed)


def task_in(status: TaskStatus) -> Task:
    """A task of this status, in or after its first attempt."""
    return task(status=status, frames=250, revision=3, attempt=1, **_STATES.get(status, {}))


NEW = NewTask(
    owner="ann",
    image=complete_upload("i1", "ann.png", FileType.IMAGE),
    video=complete_upload("v1", "clip 1.mp4", FileType.VIDEO),
    engine="mock",
    options={"speed": "2"},
)


def claim(repository: TaskRepository, task_id: str = "t1", run: str = "r1") -> Task:
    return repository.change(task_id, partial(transitions.claim, run=run, worker="w1"), now=101.0)


THIRD = Fraction(1, 3)
SEGMENTS = tuple(
    Segment(
        index=index,
        before=index,
        frames=1,
        start=THIRD * (index + 1),
        end=THIRD * (index + 2),
        key=THIRD if index else None,
    )
    for index in range(2)
)
PLAN = VideoPlan(
    info=VideoInfo(
        width=3,
        height=2,
        frames=2,
        duration=0.6,
        rate=Fraction(30000, 1001),
        codec="h264",
        start=THIRD,
        sounds=(Sound(codec="aac", layout="5.1", language="deu"),),
    ),
    segments=SEGMENTS,
    last=THIRD * 2,
)
