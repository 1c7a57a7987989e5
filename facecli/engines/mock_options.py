"""How slow and how broken the mock engine is told to be."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from facecli.core.errors import Cancelled, FacecliError, InvalidInput
from facecli.core.media import Segment

MAX_DELAY = 600.0  # seconds
MAX_SEED = 2**32 - 1
NAP = 0.05  # seconds between two looks at `stopped`


@dataclass(frozen=True, slots=True, kw_only=True)
class MockOptions:
    delay: float = 0.0  # seconds, for the whole video
    fail_at: float | None = None  # share of the video's frames
    seed: int = 0

    @classmethod
    def of(cls, options: Mapping[str, str]) -> "MockOptions":
        highest = {"delay": MAX_DELAY, "fail_at": 1.0, "seed": MAX_SEED}
        unknown = sorted(options.keys() - highest.keys())
        if unknown:
            raise InvalidInput(
                f"the mock engine has no option {unknown[0]!r}; it knows delay, fail_at and seed"
            )
        said = {name: _number(name, value, highest[name]) for name, value in options.items()}
        return cls(delay=said.get("delay", 0.0), fail_at=said.get("fail_at"), seed=int(said.get("seed", 0)))


def _number(name: str, value: str, highest: float) -> float:
    try:
        number = float(int(value) if name == "seed" else float(value))
    except ValueError:
        number = -1.0
    if not 0 <= number <= highest:
        kind = "whole number" if name == "seed" else "number"
        raise InvalidInput(
            f"the mock engine's option {name} is a {kind} from 0 to {highest:.15g}, not {value!r}"
        )
    return number


class PacedProgress:
    """Passes progress on, later than it was made: never more than is done, and failing where it should.

    Counts in frames of the segment; the delay and the failure are shares of the whole video's.
    """

    def __init__(
        self,
        mood: MockOptions,
        segment: Segment,
        frames: int,
        progress: Callable[[int], None],
        stopped: Callable[[], bool],
        sleep: Callable[[float], None],
    ) -> None:
        self._mood = mood
        self._segment = segment
        self._frames = frames  # of the whole video
        self._progress = progress
        self._stopped = stopped
        self._sleep = sleep
        self._slept = 0.0
        self._shown = -1

    def reach(self, done: int) -> None:
        """Take the time that `done` frames should have taken, showing each that it has taken time for."""
        due = self._mood.delay * min(done, self._segment.frames) / self._frames
        while self._slept < due:
            if self._stopped():
                raise Cancelled
            nap = min(NAP, due - self._slept)
            self._sleep(nap)
            self._slept += nap
            self._show(min(done, int(self._frames * self._slept / self._mood.delay)))
        self._show(done)

    def _show(self, frames: int) -> None:
        if frames <= self._shown:
            return
        self._shown = frames
        fail_at, all_done = self._mood.fail_at, self._segment.before + frames
        if fail_at is not None and all_done >= fail_at * self._frames:
            raise FacecliError(
                f"the mock engine failed at frame {all_done} of {self._frames}, as fail_at={fail_at:g} asked"
            )
        self._progress(frames)
