"""The plan of `bench task`."""

from dataclasses import dataclass

from facecli.core.errors import InvalidInput
from facecli.core.video.media import CLIP_RATE

UPDATE_RATE = 10  # updates of a task per second, the most that a worker reports


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskPlan:
    """Tasks on a clip of `seconds`, `warm_up` times and then `runs` times, each compared with plain ffmpeg.

    Then `watchers` watch one task for `watch_for` seconds, and a worker is killed in the middle of a task
    `kills` times. InvalidInput for an impossible plan.
    """

    seconds: int = 20
    runs: int = 3
    warm_up: int = 1
    watchers: int = 1000
    watch_for: float = 10.0
    kills: int = 3

    def __post_init__(self) -> None:
        min_seconds = self.watch_for * UPDATE_RATE / CLIP_RATE
        if self.watchers and self.seconds < min_seconds:
            raise InvalidInput(
                f"a clip of {self.seconds} s has too few frames for {UPDATE_RATE} updates per second during "
                f"{self.watch_for:g} s; use --seconds {min_seconds:.0f} or more, or a shorter --watch-for"
            )
