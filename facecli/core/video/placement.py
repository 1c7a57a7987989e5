"""The placement of a picture on a video, from its first frame to its last."""

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
    """A coordinate that moves as a sine, at most `reach` pixels from its middle."""

    middle: float  # pixels
    reach: float = 0.0  # pixels
    period: float = 1.0  # seconds
    phase: float = 0.0  # share of a period, 0 to 1

    def at(self, seconds: float) -> float:
        return self.middle + self.reach * math.sin(2 * math.pi * (seconds / self.period + self.phase))


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """A picture's size and the path of its upper left corner, in seconds after the video's first frame."""

    width: int
    height: int
    x: Oscillation
    y: Oscillation

    @classmethod
    def fixed(cls, box: Box) -> "Placement":
        """Return a placement that does not move."""
        return cls(
            width=box.width, height=box.height, x=Oscillation(middle=box.x), y=Oscillation(middle=box.y)
        )

    def at(self, seconds: float) -> Box:
        """Return the box at a time, its corner at even numbers: colour has half the resolution."""
        x, y = (int(oscillation.at(seconds)) // 2 * 2 for oscillation in (self.x, self.y))
        return Box(x=x, y=y, width=self.width, height=self.height)
