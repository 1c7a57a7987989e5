"""Contact sheets: frames of a video before and after the swap, side by side in one picture."""

from collections.abc import Iterable, Sequence
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
    start: Fraction = Fraction(0)
    end: Fraction = Fraction(1)
    key: Fraction | None = None
    raw: bool = False  # the file is one raw frame, with the colours of the video


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """A row of a sheet: a frame before and after, and its time since the video begins."""

    time: Fraction
    before: Still
    after: Still


def raw_still(folder: Path, frame: int, side: str) -> Path:
    """The file of a raw frame, `before` or `after`, which was kept when its segment was rewritten."""
    return folder / f"frame-{frame}-{side}.nut"


def of_result(
    video: Path, result: Path, plan: VideoPlan, *, kept: Path | None = None
) -> Iterable[Comparison]:
    """Compare the frames of the plan in the video and in the result, which begins at its origin.

    Frames that were kept in the folder `kept` need not be decoded again.
    """
    for still in plan.stills:
        if kept and (comparison := _kept(still, plan, kept)):
            yield comparison
            continue
        start, end = still.start - plan.origin, still.end - plan.origin
        after = Still(video=result, start=start, end=end, key=max(start, Fraction(0)))
        yield _comparison(video, still, plan, after)


def all_kept(plan: VideoPlan, folder: Path) -> Sequence[Comparison]:
    """Compare the frames of the plan as they were kept in a folder; none unless all were."""
    kept = [comparison for still in plan.stills if (comparison := _kept(still, plan, folder))]
    return kept if len(kept) == len(plan.stills) else ()


def of_frames(video: Path, swapped: Iterable[Path], plan: VideoPlan) -> Iterable[Comparison]:
    """Compare the frames of the plan in the video with files of one swapped frame each."""
    for still, path in zip(plan.stills, swapped, strict=True):
        yield _kept(still, plan, path.parent) or _comparison(video, still, plan, Still(video=path))


def _kept(still: Segment, plan: VideoPlan, folder: Path) -> Comparison | None:
    before, after = (raw_still(folder, still.before, side) for side in ("before", "after"))
    if not (before.is_file() and after.is_file()):
        return None
    time = max(Fraction(0), still.start - plan.info.origin)
    return Comparison(time=time, before=Still(video=before, raw=True), after=Still(video=after, raw=True))


def _comparison(video: Path, still: Segment, plan: VideoPlan, after: Still) -> Comparison:
    before = Still(video=video, start=still.start, end=still.end, key=still.key)
    return Comparison(time=max(Fraction(0), still.start - plan.info.origin), before=before, after=after)
