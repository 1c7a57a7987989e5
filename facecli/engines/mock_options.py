"""Options of the mock engine, and the slow and failing progress that they request."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from facecli.core.errors import Cancelled, FacecliError
from facecli.core.video.engine_options import EngineOption, OptionType, parse_options
from facecli.core.video.engines import SwapJob

MAX_DELAY_SECONDS = 600.0
MAX_SEED = 2**32 - 1
CANCEL_CHECK_SECONDS = 0.05

OPTIONS = (
    EngineOption.number(
        "delay", "seconds to add to the whole video", low=0, high=MAX_DELAY_SECONDS, default=0
    ),
    EngineOption.number(
        "fail_at", "share of the frames at which to fail; never if absent", low=0, high=1, default=None
    ),
    EngineOption(
        name="seed",
        type=OptionType.INTEGER,
        about="selects another path of the face",
        maximum=MAX_SEED,
        default="0",
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class MockOptions:
    delay: float = 0.0  # seconds, for the whole video
    fail_at: float | None = None  # share of the video's frames
    seed: int = 0

    @classmethod
    def parse(cls, options: Mapping[str, str]) -> "MockOptions":
        """InvalidInput for an unknown option, and for a value out of range."""
        return cls(**parse_options("mock", OPTIONS, options))  # type: ignore[arg-type]


class PacedProgress:
    """Delays progress, never reporting more frames than are done, and fails where the options request it.

    Counts frames of the segment; the delay and the failure are shares of the whole video's.
    """

    def __init__(
        self,
        options: MockOptions,
        job: SwapJob,
        *,
        progress: Callable[[int], None],
        stopped: Callable[[], bool],
        sleep: Callable[[float], None],
    ) -> None:
        self._options = options
        self._segment = job.segment
        self._video_frames = job.info.frames
        self._progress = progress
        self._stopped = stopped
        self._sleep = sleep
        self._slept = 0.0  # seconds
        self._reported = -1

    def report(self, done: int) -> None:
        """Sleep as long as `done` frames are to take, reporting each frame when its time has passed."""
        due = self._options.delay * min(done, self._segment.frames) / self._video_frames
        while self._slept < due:
            if self._stopped():
                raise Cancelled
            pause = min(CANCEL_CHECK_SECONDS, due - self._slept)
            self._sleep(pause)
            self._slept += pause
            self._pass_on(min(done, int(self._video_frames * self._slept / self._options.delay)))
        self._pass_on(done)

    def _pass_on(self, frames: int) -> None:
        if frames <= self._reported:
            return
        self._reported = frames
        fail_at, done = self._options.fail_at, self._segment.before + frames
        if fail_at is not None and done >= fail_at * self._video_frames:
            raise FacecliError(
                f"the mock engine failed at frame {done} of {self._video_frames}, "
                f"as fail_at={fail_at:g} requests"
            )
        self._progress(frames)
