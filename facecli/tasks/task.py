"""Tasks: a face swap from request to result."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from urllib.parse import unquote

from facecli.core.labels.labels import Labels
from facecli.core.video.figures import SwapFigures
from facecli.core.video.plan import WHOLE, VideoPart
from facecli.tasks.provenance.terms import NO_TERMS, Terms
from facecli.uploads.upload import Upload


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """The call that created a task, or last retried it: its id, and its span as a W3C traceparent."""

    request_id: str = ""
    traceparent: str = ""


UNKNOWN = Origin()


class TaskStatus(StrEnum):
    PENDING = "pending"
    PROCESSING = "processing"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Priority(IntEnum):
    """Order among the pending tasks of one owner; lower numbers run first."""

    HIGH = -1
    NORMAL = 0
    LOW = 1


ENDED = frozenset({TaskStatus.COMPLETED, TaskStatus.FAILED, TaskStatus.CANCELLED})
UNFINISHED = frozenset(TaskStatus) - ENDED


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTask:
    """A request for a task: two complete uploads, an engine, and the engine's options."""

    owner: str
    image: Upload
    video: Upload
    engine: str
    engine_version: str = ""
    options: Mapping[str, str] = field(default_factory=dict)
    part: VideoPart = WHOLE
    key: str | None = None  # idempotency key, unique per owner
    fresh: bool = False  # take the key from an ended task
    labels: Labels | None = None  # that the result gets
    terms: Terms = NO_TERMS
    origin: Origin = UNKNOWN
    priority: Priority = Priority.NORMAL


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """A published file of a task: its blob, size in bytes and crc32c."""

    blob_key: str
    size: int
    crc32c: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A task as stored.

    `revision` increases with every change, `round` with every retry, `attempt` with every worker that claims
    the task within a round. `run` is the fencing token of the current attempt. `engine_version` is that of
    the server at creation, then that of the worker that made the result. `turn` is the number of claims
    of all tasks up to the claim of this one, or up to its creation; 0 after its worker gave it back.
    """

    id: str
    owner: str
    status: TaskStatus
    progress: int  # percent
    frames_done: int
    frames: int  # to swap; 0 until a worker has counted them
    stage: str
    revision: int
    round: int
    attempt: int
    run: str
    worker: str
    engine: str
    options: Mapping[str, str]
    image_id: str
    video_id: str
    image_url: str
    video_url: str
    key: str | None
    result: Result | None
    error_reason: str
    error_message: str
    created_at: float
    updated_at: float
    engine_version: str = ""
    crashes: int = 0  # of workers and of ffmpeg, since the last finished checkpoint of the round
    notes: tuple[str, ...] = ()  # sentences about what the result lacks, such as a sound track
    figures: SwapFigures | None = None  # of the segments swapped so far; None if the engine does not count
    part: VideoPart = WHOLE  # of the video, that is swapped
    sheet: Result | None = None  # contact sheet of the result
    labels: Labels | None = None  # that the result gets; None for none
    terms: Terms = NO_TERMS
    origin: Origin = UNKNOWN
    priority: Priority = Priority.NORMAL
    turn: int = 0

    @classmethod
    def new(cls, new: NewTask, *, task_id: str, now: float) -> "Task":
        """A pending task at its first revision."""
        return cls(
            id=task_id,
            owner=new.owner,
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
            engine=new.engine,
            engine_version=new.engine_version,
            options=dict(new.options),
            part=new.part,
            labels=new.labels,
            terms=new.terms,
            origin=new.origin,
            priority=new.priority,
            image_id=new.image.id,
            video_id=new.video.id,
            image_url=new.image.file_url,
            video_url=new.video.file_url,
            key=new.key,
            result=None,
            error_reason="",
            error_message="",
            created_at=now,
            updated_at=now,
        )

    @property
    def ended(self) -> bool:
        return self.status in ENDED

    @property
    def result_url(self) -> str:
        """`/outputs/<task id>/<name>.mp4`, or empty while there is no result."""
        return self._output_url("mp4") if self.result else ""

    @property
    def preview_url(self) -> str:
        """`/outputs/<task id>/<name>.jpg`, the contact sheet of the result; empty without one."""
        return self._output_url("jpg") if self.sheet else ""

    @property
    def files(self) -> list[Result]:
        """The published files: the result and its contact sheet."""
        return [file for file in (self.result, self.sheet) if file]

    def file_at(self, url: str) -> tuple[str, Result] | None:
        """The published file at a URL, in any percent-encoding, and its usual URL; None while there is none.

        Any name but that of the contact sheet stands for the result.
        """
        if self.sheet and unquote(url) == unquote(self.preview_url):
            return self.preview_url, self.sheet
        return (self.result_url, self.result) if self.result else None

    @property
    def work_id(self) -> str:
        """The queue's id for the current round."""
        return f"{self.id}.{self.round}"

    @property
    def work_ids(self) -> list[str]:
        """The queue's ids for all rounds."""
        return [f"{self.id}.{number}" for number in range(1, self.round + 1)]

    def _output_url(self, extension: str) -> str:
        name = self.video_url.rsplit("/", 1)[-1].rsplit(".", 1)[0]
        return f"/outputs/{self.id}/{name}.{extension}"


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskFilter:
    """Criteria of a task list: status and engine, empty for any; created from `since` to before `until`.

    `result_crc32c` selects tasks by the checksum of their result.
    """

    status: str = ""
    engine: str = ""
    since: float = 0.0  # seconds since 1970
    until: float = math.inf
    result_crc32c: int | None = None
