"""A task as a client sees it."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote

from facecli.core.errors import TaskUnsuccessful
from facecli.core.video.figures import SwapFigures
from facecli.core.video.plan import VideoPart
from facecli.tasks.task import ENDED


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookView:
    """The notification of the end of a task, in its current round: how it went so far."""

    status: str  # `pending`, `delivered` or `failed`, or one that only a newer server knows
    attempts: int
    error: str  # of the last attempt that failed, unless it is delivered

    @property
    def text(self) -> str:
        """The state as half a sentence."""
        tries = f"{self.attempts} attempt{'' if self.attempts == 1 else 's'}"
        cause = f", the last one: {self.error}" if self.error else ""
        return f"{self.status}, {tries}{cause}"


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskView:
    """The public fields of a task; times in seconds since 1970.

    Until the task is completed, `result_url` and `preview_url`, that of the contact sheet, are empty, and
    `result_size` and `result_crc32c` are None.
    """

    id: str
    status: str  # a TaskStatus, or one that only a newer server knows
    progress: int  # 0..100
    frames_done: int
    frames: int  # to swap; 0 until a worker has counted them
    stage: str
    revision: int
    round: int
    attempt: int
    engine: str
    engine_version: str
    options: Mapping[str, str]
    part: VideoPart
    key: str | None  # idempotency key
    image_url: str
    video_url: str
    result_url: str
    preview_url: str
    result_size: int | None
    result_crc32c: int | None
    error_reason: str
    error_message: str
    notes: tuple[str, ...]  # what the result lacks, such as a sound track; why a pending task has to wait
    figures: SwapFigures | None  # what became of the frames so far; None if the engine does not count
    created_at: float
    updated_at: float
    webhook: WebhookView | None = None  # in the responses for one task; None without, and of other servers
    request_id: str = ""  # of the call that created or last retried it, as in the logs; empty if unknown

    @property
    def ended(self) -> bool:
        return self.status in ENDED

    @property
    def image_name(self) -> str:
        return unquote(self.image_url.rsplit("/", 1)[-1])

    @property
    def video_name(self) -> str:
        return unquote(self.video_url.rsplit("/", 1)[-1])

    @property
    def outcome(self) -> str:
        """The outcome as a sentence."""
        return f"task {self.id} {self.status}: {self.error_message}"

    def unsuccessful(self, *, hint: str | None = None) -> TaskUnsuccessful:
        """The error for a task that did not complete."""
        error = TaskUnsuccessful(self.outcome, **({} if hint is None else {"hint": hint}))
        error.request_id = self.request_id
        return error
