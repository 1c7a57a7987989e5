"""How a video is cut: into pieces of about the same work, at key frames where there are some. Pure."""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise

from facecli.core.media import Segment, VideoInfo

LEAST_PIXELS = 250_000  # a smaller frame takes as long, because of what each takes whatever its size


class FrameTimes:
    """Times of frames that are shown, in ticks of `tick` seconds, with which of them are key frames."""

    def __init__(self) -> None:
        self._coded = array("q")  # time * 2, one more for a key frame

    def add(self, time: int, *, key: bool) -> None:
        self._coded.append(time * 2 + key)

    def sorted(self) -> tuple[Sequence[int], list[int]]:
        """The times in order, and the places of key frames among them."""
        coded = sorted(self._coded)
        return array("q", (code >> 1 for code in coded)), [at for at, code in enumerate(coded) if code & 1]


def cut(times: FrameTimes, info: VideoInfo, *, tick: Fraction, work: int | None) -> tuple[Segment, ...]:
    """Segments of about `work` megapixels, never twice as much; one for what has no distinct times."""
    shown, keys = times.sorted()
    borders = [0]
    if work is not None and all(earlier < later for earlier, later in pairwise(shown)):
        most = max(1, work * 1_000_000 // max(info.width * info.height, LEAST_PIXELS))
        pieces = -(-len(shown) // most)
        for piece in range(1, pieces):
            border = _near(keys, len(shown) * piece // pieces, most // 2)
            if border > borders[-1]:
                borders.append(border)
    end = info.start + Fraction(info.duration)
    ends = [*borders[1:], len(shown)]
    return tuple(
        Segment(
            index=index,
            before=first,
            frames=after - first,
            start=shown[first] * tick,
            end=shown[after] * tick if after < len(shown) else end,
            key=_key(shown, keys, first, tick),
        )
        for index, (first, after) in enumerate(zip(borders, ends, strict=True))
    )


def _near(keys: Sequence[int], wanted: int, slack: int) -> int:
    """The key frame nearest to a frame, or the frame itself when the nearest is too far."""
    at = bisect_left(keys, wanted)
    near = min(keys[max(0, at - 1) : at + 1], key=lambda key: abs(key - wanted), default=wanted)
    return near if abs(near - wanted) <= slack else wanted


def _key(shown: Sequence[int], keys: Sequence[int], first: int, tick: Fraction) -> Fraction | None:
    """Time of the last key frame up to a frame; frames before the first are decoded in passing."""
    at = bisect_right(keys, first) - 1
    return shown[keys[at]] * tick if first and at >= 0 else None
