"""Cut a part of a video into segments of similar size, at key frames where possible. Pure."""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise

from facecli.core.errors import MediaRefused
from facecli.core.video.plan import (
    FRAMES_AFTER,
    FRAMES_BEFORE,
    MICROSECONDS,
    WHOLE,
    Segment,
    VideoInfo,
    VideoPart,
    VideoPlan,
)

MIN_FRAME_PIXELS = 250_000  # a smaller frame takes as long, for the fixed cost of each


class FrameTimes:
    """Times of the frames that are shown, in ticks, and which of them are key frames; 8 bytes a frame."""

    def __init__(self) -> None:
        self._coded = array("q")  # time * 2, plus 1 for a key frame

    def add(self, time: int, *, key: bool) -> None:
        self._coded.append(time * 2 + key)

    def sorted(self) -> tuple[Sequence[int], list[int]]:
        """Return the times in order, and the indexes of key frames."""
        coded = sorted(self._coded)
        return array("q", (code >> 1 for code in coded)), [at for at, code in enumerate(coded) if code & 1]


def cut_segments(
    times: FrameTimes,
    info: VideoInfo,
    *,
    part: VideoPart = WHOLE,
    stills: int | Sequence[int] = (),
    tick: Fraction,
    megapixels: int | None,
) -> VideoPlan:
    """Return segments of about `megapixels`, never twice as much; one if that is None or times repeat.

    MediaRefused when no frame begins in the part.
    """
    shown, keys = times.sorted()
    begin, stop = _frames_of(part, shown, info, tick)
    borders = [begin]
    if megapixels is not None and all(earlier < later for earlier, later in pairwise(shown)):
        frames_limit = max(1, megapixels * 1_000_000 // max(info.width * info.height, MIN_FRAME_PIXELS))
        pieces = -(-(stop - begin) // frames_limit)
        for piece in range(1, pieces):
            border = _nearest_key(keys, begin + (stop - begin) * piece // pieces, frames_limit // 2)
            if borders[-1] < border < stop:
                borders.append(border)
    video_end = info.start + Fraction(info.duration)

    def segment(index: int, first: int, after: int, *, wide: Segment | None = None) -> Segment:
        return Segment(
            index=index,
            before=first,
            frames=after - first,
            start=shown[first] * tick,
            end=shown[after] * tick if after < len(shown) else video_end,
            key=_key_time(shown, keys, first, tick),
            wide=wide,
        )

    def widened(index: int, first: int, after: int) -> Segment:
        around = max(0, first - FRAMES_BEFORE), min(len(shown), after + FRAMES_AFTER)
        wide = segment(index, *around) if around != (first, after) else None
        return segment(index, first, after, wide=wide)

    bounds = zip(borders, [*borders[1:], stop], strict=True)
    segments = tuple(widened(index, first, after) for index, (first, after) in enumerate(bounds))
    if isinstance(stills, int):
        frames = sorted({begin + (stop - begin) * (2 * at + 1) // (2 * stills) for at in range(stills)})
    else:
        at = (max(0, _first_from(time + 1, shown, info, tick) - 1) for time in stills)
        frames = list(dict.fromkeys(at))
    return VideoPlan(
        info=info,
        segments=segments,
        last=info.last if stop == len(shown) else shown[stop - 1] * tick,
        stills=tuple(widened(index, frame, frame + 1) for index, frame in enumerate(frames)),
    )


def _frames_of(part: VideoPart, shown: Sequence[int], info: VideoInfo, tick: Fraction) -> tuple[int, int]:
    """Return the first frame of a part, and the first one after it."""
    begin = _first_from(part.start, shown, info, tick) if part.start else 0
    stop = len(shown) if part.end is None else _first_from(part.end, shown, info, tick)
    if begin >= stop:
        raise MediaRefused(f"no frame of the video begins {part}; take a longer part")
    return begin, stop


def _first_from(microseconds: int, shown: Sequence[int], info: VideoInfo, tick: Fraction) -> int:
    """Return the first frame from a time on; what differs by less than half of the unit is equal."""
    return bisect_left(shown, (info.origin + (microseconds - Fraction(1, 2)) / MICROSECONDS) / tick)


def _nearest_key(keys: Sequence[int], wanted: int, slack: int) -> int:
    """Return the key frame nearest to a frame, or the frame itself if that is further than `slack`."""
    at = bisect_left(keys, wanted)
    nearest = min(keys[max(0, at - 1) : at + 1], key=lambda key: abs(key - wanted), default=wanted)
    return nearest if abs(nearest - wanted) <= slack else wanted


def _key_time(shown: Sequence[int], keys: Sequence[int], first: int, tick: Fraction) -> Fraction | None:
    """Return the time of the last key frame up to a frame; None decodes from the beginning."""
    at = bisect_right(keys, first) - 1
    return shown[keys[at]] * tick if first and at >= 0 else None
