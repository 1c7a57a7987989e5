"""Contact sheets: frames of a video before and after the swap, side by side in one picture."""

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from facecli.core.video.plan import Segment, VideoPlan

SHEET_FRAMES = 4  # spread evenly over a video
MAX_SHEET_FRAMES = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Still:
    """One frame of a video file: the first one in a span of time on the file's own clock, in seconds.

    It is decoded from the key frame at `key`, or from the beginning of the file.
    """

    video: Path
    start: Fraction
    end: Fraction
    key: Fraction | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """A row of a sheet: a frame before and after, and its time since the video begins."""

    time: Fraction
    before: Still
    after: Still


def of_result(video: Path, result: Path, plan: VideoPlan) -> Iterable[Comparison]:
    """Compare the frames of the plan in the video and in the result, which begins at its origin."""
    for still in plan.stills:
        start, end = still.start - plan.origin, still.end - plan.origin
        after = Still(video=result, start=start, end=end, key=max(start, Fraction(0)))
        yield _comparison(video, still, plan, after)


def of_frames(video: Path, swapped: Iterable[Path], plan: VideoPlan) -> Iterable[Comparison]:
    """Compare the frames of the plan in the video with files of one swapped frame each."""
    for still, path in zip(plan.stills, swapped, strict=True):
        after = Still(video=path, start=Fraction(0), end=Fraction(1))
        yield _comparison(video, still, plan, after)


def _comparison(video: Path, still: Segment, plan: VideoPlan, after: Still) -> Comparison:
    before = Still(video=video, start=still.start, end=still.end, key=still.key)
    return Comparison(time=max(Fraction(0), still.start - plan.info.origin), before=before, after=after)
