"""The engine that pretends: the face picture on every frame, as slow and as broken as it is told to be."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from facecli.core.engines import Swap
from facecli.core.errors import Cancelled, FacecliError, InvalidInput
from facecli.core.media import Box, Media, VideoInfo

MAX_DELAY = 600.0  # seconds
NAP = 0.05  # seconds between two looks at `stopped`


class MockEngine:
    """Options: `delay`, seconds of slowness spread over the work; `fail_at`, where to fail, from 0 to 1."""

    name = "mock"
    version = "1"

    def __init__(self, media: Media, *, sleep: Callable[[float], None] = time.sleep) -> None:
        self._media = media
        self._sleep = sleep

    def check(self, options: Mapping[str, str]) -> None:
        _Mood.of(options)

    def swap(self, swap: Swap, *, progress: Callable[[int], None], stopped: Callable[[], bool]) -> None:
        """The face is a square, a third of the short side, in the middle of every frame."""
        pace = _Pace(_Mood.of(swap.options), swap.info.frames, progress, stopped, self._sleep)
        pace.reach(0)
        box = face_box(swap.info)
        with TemporaryDirectory(prefix=".face-", dir=swap.output.parent) as aside:
            picture = Path(aside) / "face.png"
            self._media.fit_picture(swap.face, picture, width=box.width, height=box.height)
            self._media.overlay(
                video=swap.video,
                picture=picture,
                box=box,
                output=swap.output,
                info=swap.info,
                progress=pace.reach,
                stopped=stopped,
            )


def face_box(info: VideoInfo) -> Box:
    """Where the face is; even numbers, because colour has half the resolution."""
    short = min(info.width, info.height)
    side = min(short, max(2, short // 6 * 2))
    return Box(x=(info.width - side) // 4 * 2, y=(info.height - side) // 4 * 2, width=side, height=side)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Mood:
    delay: float = 0.0  # seconds
    fail_at: float | None = None  # share of the frames

    @classmethod
    def of(cls, options: Mapping[str, str]) -> "_Mood":
        highest = {"delay": MAX_DELAY, "fail_at": 1.0}
        unknown = sorted(options.keys() - highest.keys())
        if unknown:
            raise InvalidInput(f"the mock engine has no option {unknown[0]!r}; it knows delay and fail_at")
        return cls(**{name: _number(name, value, highest[name]) for name, value in options.items()})


def _number(name: str, value: str, highest: float) -> float:
    try:
        number = float(value)
    except ValueError:
        number = -1.0
    if not 0 <= number <= highest:
        raise InvalidInput(
            f"the mock engine's option {name} is a number from 0 to {highest:g}, not {value!r}"
        )
    return number


class _Pace:
    """Passes progress on, later than it was made: never more than is done, and failing where it should."""

    def __init__(
        self,
        mood: _Mood,
        frames: int,
        progress: Callable[[int], None],
        stopped: Callable[[], bool],
        sleep: Callable[[float], None],
    ) -> None:
        self._mood = mood
        self._frames = max(frames, 1)
        self._progress = progress
        self._stopped = stopped
        self._sleep = sleep
        self._slept = 0.0
        self._shown = -1

    def reach(self, done: int) -> None:
        """Take the time that `done` frames should have taken, showing each that it has taken time for."""
        due = self._mood.delay * min(done / self._frames, 1)
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
        fail_at = self._mood.fail_at
        if fail_at is not None and frames >= fail_at * self._frames:
            raise FacecliError(
                f"the mock engine failed at frame {frames} of {self._frames}, as fail_at={fail_at:g} asked"
            )
        self._progress(frames)
