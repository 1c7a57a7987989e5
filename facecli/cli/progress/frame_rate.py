"""Frame rate and remaining time of a task."""

from typing import TYPE_CHECKING

from facecli.cli.progress.amounts import time_text
from facecli.cli.progress.rate import WindowRate

if TYPE_CHECKING:
    from facecli.tasks.view import TaskView


class FrameRate:
    """Frame rate of one task, measured by its worker's clock; a new attempt starts a new measurement."""

    def __init__(self) -> None:
        self._attempt: tuple[int, int] | None = None
        self._rate = WindowRate()
        self._done = self._frames = 0
        self._pending = False

    def update(self, task: "TaskView") -> bool:
        """Record a change of the task; True if a new attempt has begun."""
        before, self._attempt = self._attempt, (task.round, task.attempt)
        retried = before not in {None, self._attempt} and task.attempt > 0 and self._attempt > (1, 1)
        if before != self._attempt:
            self._rate.clear()
        self._done, self._frames, self._pending = task.frames_done, task.frames, task.status == "pending"
        # Frames restored from an earlier attempt's checkpoint appear at once and must not count.
        if task.stage == "swapping" and (self._rate.last is None or task.frames_done > self._rate.last):
            self._rate.add(task.updated_at, task.frames_done)
        return retried

    @property
    def per_second(self) -> float | None:
        """None until two samples exist."""
        return self._rate.per_second

    @property
    def seconds_left(self) -> float | None:
        rate = self.per_second
        return (self._frames - self._done) / rate if rate else None

    @property
    def text(self) -> str:
        """`100/250 frames  25.0 fps  0:06 left`, leaving out what is unknown."""
        if not self._frames:
            return ""
        rate, left = self.per_second, self.seconds_left
        parts = [f"{self._done}/{self._frames} frames"]
        if rate and not self._pending:
            parts.append(f"{rate:.1f} fps")
        if left and not self._pending:
            parts.append(f"{time_text(left)} left")
        return "  ".join(parts)


def attempt_text(task: "TaskView") -> str:
    """A line of text about a new attempt."""
    round_text = f" of round {task.round}" if task.round > 1 else ""
    return f"{task.id}  attempt {task.attempt}{round_text} began"
