"""Where a picture is on a video, from its first frame to its last."""

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """A rectangle in pixels of the video."""

    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Oscillation:
    """One coordinate over time: smooth, never further than `reach` pixels from the middle."""

    middle: float  # pixels
    reach: float = 0.0  # pixels
    period: float = 1.0  # seconds
    phase: float = 0.0  # of a turn, 0 to 1

    def at(self, seconds: float) -> float:
        return self.middle + self.reach * math.sin(2 * math.pi * (seconds / self.period + self.phase))


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """A picture's size, and where its upper left corner is, in seconds after the video's first frame."""

    width: int
    height: int
    x: Oscillation
    y: Oscillation

    def at(self, seconds: float) -> Box:
        """Even numbers, because colour has half the resolution."""
        x, y = (int(swing.at(seconds)) // 2 * 2 for swing in (self.x, self.y))
        return Box(x=x, y=y, width=self.width, height=self.height)


def still(box: Box) -> Placement:
    return Placement(
        width=box.width, height=box.height, x=Oscillation(middle=box.x), y=Oscillation(middle=box.y)
    )
