"""A task as a client sees it."""

from dataclasses import dataclass

from facecli.tasks.task import ENDED, TaskStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskView:
    """The part of a task that the server shows; times in seconds since 1970.

    The result's URL is empty, its size and checksum are None, until the task is completed.
    """

    id: str
    status: TaskStatus
    progress: int  # 0..100
    frames_done: int
    frames: int  # in all; 0 until a worker has counted them
    stage: str
    revision: int
    round: int
    attempt: int
    engine: str
    image_url: str
    video_url: str
    result_url: str
    result_size: int | None
    result_crc32c: int | None
    error_reason: str
    error_message: str
    created_at: float
    updated_at: float

    @property
    def ended(self) -> bool:
        return self.status in ENDED

    @property
    def outcome(self) -> str:
        """A sentence that says how the task ended."""
        return f"task {self.id} {self.status}: {self.error_message}"
