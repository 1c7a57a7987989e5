"""Frame rate and remaining time of a task."""

from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from facecli.tasks.view import TaskView

WINDOW_SECONDS = 10.0


class FrameRate:
    """Frame rate of one task, measured by its worker's clock; a new attempt starts a new measurement."""

    def __init__(self) -> None:
        self._attempt: tuple[int, int] | None = None
        self._samples = deque[tuple[float, int]]()  # (time, frames done)
        self._done = self._frames = 0
        self._pending = False

    def update(self, task: "TaskView") -> bool:
        """Record a change of the task; True if a new attempt has begun."""
        before, self._attempt = self._attempt, (task.round, task.attempt)
        retried = before not in {None, self._attempt} and task.attempt > 0 and self._attempt > (1, 1)
        if before != self._attempt:
            self._samples.clear()
        self._done, self._frames, self._pending = task.frames_done, task.frames, task.status == "pending"
        # Frames restored from an earlier attempt's checkpoint appear at once and must not count.
        if task.stage == "swapping" and not (self._samples and task.frames_done <= self._samples[-1][1]):
            self._samples.append((task.updated_at, task.frames_done))
        while len(self._samples) > 2 and self._samples[-1][0] - self._samples[0][0] > WINDOW_SECONDS:
            self._samples.popleft()
        return retried

    @property
    def per_second(self) -> float | None:
        """None until two samples exist."""
        if len(self._samples) < 2:
            return None
        (began, first), (ended, last) = self._samples[0], self._samples[-1]
        return (last - first) / (ended - began) if ended > began else None

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
            minutes, seconds = divmod(round(left), 60)
            parts.append(f"{minutes}:{seconds:02} left")
        return "  ".join(parts)


def attempt_text(task: "TaskView") -> str:
    """A line of text about a new attempt."""
    round_text = f" of round {task.round}" if task.round > 1 else ""
    return f"{task.id}  attempt {task.attempt}{round_text} began"
