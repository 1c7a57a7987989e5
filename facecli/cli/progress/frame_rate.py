"""How fast a task's frames are done, and how long the rest takes."""

from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from facecli.tasks.view import TaskView

WINDOW = 10.0  # seconds that the rate is of


class FrameRate:
    """Of one task, by its worker's clock; a new attempt begins anew."""

    def __init__(self) -> None:
        self._attempt: tuple[int, int] | None = None
        self._seen = deque[tuple[float, int]]()  # when so many frames were done
        self._done = self._frames = 0
        self._waits = False

    def tell(self, task: "TaskView") -> bool:
        """Take note of a task after a change; whether another attempt began than the one before."""
        before, self._attempt = self._attempt, (task.round, task.attempt)
        again = before not in {None, self._attempt} and task.attempt > 0 and self._attempt > (1, 1)
        if before != self._attempt:
            self._seen.clear()
        self._done, self._frames, self._waits = task.frames_done, task.frames, task.status == "pending"
        # What an earlier attempt did is kept, and there at once: it makes no rate.
        if task.stage == "swapping" and not (self._seen and task.frames_done <= self._seen[-1][1]):
            self._seen.append((task.updated_at, task.frames_done))
        while len(self._seen) > 2 and self._seen[-1][0] - self._seen[0][0] > WINDOW:
            self._seen.popleft()
        return again

    @property
    def per_second(self) -> float | None:
        """None until it can be told."""
        if len(self._seen) < 2:
            return None
        (began, first), (now, last) = self._seen[0], self._seen[-1]
        return (last - first) / (now - began) if now > began else None

    @property
    def seconds_left(self) -> float | None:
        rate = self.per_second
        return (self._frames - self._done) / rate if rate else None

    @property
    def text(self) -> str:
        """`100/250 frames  25.0 fps  0:06 left`, as much of it as is known."""
        if not self._frames:
            return ""
        rate, left = self.per_second, self.seconds_left
        parts = [f"{self._done}/{self._frames} frames"]
        if rate and not self._waits:
            parts.append(f"{rate:.1f} fps")
        if left and not self._waits:
            minutes, seconds = divmod(round(left), 60)
            parts.append(f"{minutes}:{seconds:02} left")
        return "  ".join(parts)


def attempt_text(task: "TaskView") -> str:
    """That an attempt began, for people."""
    retried = f" of round {task.round}" if task.round > 1 else ""
    return f"{task.id}  attempt {task.attempt}{retried} began"
