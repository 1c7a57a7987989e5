"""What `bench task` runs, how often, and who watches."""

from dataclasses import dataclass

from facecli.core.errors import InvalidInput
from facecli.core.media import CLIP_RATE

CHANGES = 10  # of a task a second, as many as a worker tells


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskPlan:
    """Tasks on a clip of `seconds`, `warm_up` times, then `runs` times, each beside one plain ffmpeg command.

    Then `watchers` of one task for `watch_for` seconds, and `kills` of a worker in the middle of a task.
    InvalidInput for what cannot be.
    """

    seconds: int = 20
    runs: int = 3
    warm_up: int = 1
    watchers: int = 1000
    watch_for: float = 10.0
    kills: int = 3

    def __post_init__(self) -> None:
        least = self.watch_for * CHANGES / CLIP_RATE
        if self.watchers and self.seconds < least:
            raise InvalidInput(
                f"a clip of {self.seconds} s has too few frames to change {CHANGES} times a second for "
                f"{self.watch_for:g} s; choose --seconds {least:.0f} or more, or a shorter --watch-for"
            )
