"""Fading: the opacity of a swap, so that no face pops in or out.

A face fades while it turns away, and over three frames when it comes or goes in the middle of a shot. For the
frames before it goes, frames are held back until the next three are known.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from facecli.engines.mesh.arrays import Points
from facecli.engines.mesh.landmarks import read_yaw
from facecli.engines.mesh.tracking import FrameFaces

FADE_FRAMES = 3
FULL_YAW, LAST_YAW = 28.0, 35.0  # read degrees, between which a turned face fades; really 40 and 55

Held = TypeVar("Held")


@dataclass(frozen=True, slots=True, kw_only=True)
class VisibleFace:
    track: int
    points: Points
    opacity: float  # 0 for one that is turned away


class Fader(Generic[Held]):
    """Takes frames with their faces in order, and returns each with its opacities when they are known."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[Held, FrameFaces]] = deque()
        self._ages: dict[int, int] = {}  # frames for which a face has been there, from 1
        self._first = True

    def push(self, held: Held, faces: FrameFaces) -> Iterator[tuple[Held, tuple[VisibleFace, ...]]]:
        self._waiting.append((held, faces))
        if len(self._waiting) > FADE_FRAMES:
            yield self._next()

    def flush(self) -> Iterator[tuple[Held, tuple[VisibleFace, ...]]]:
        while self._waiting:
            yield self._next()

    def _next(self) -> tuple[Held, tuple[VisibleFace, ...]]:
        held, now = self._waiting.popleft()
        # A face that is there from the cut on does not fade in.
        start = FADE_FRAMES + 1 if now.cut else 1
        self._ages = {face.track: self._ages.get(face.track, start - 1) + 1 for face in now.faces}
        return held, tuple(
            VisibleFace(
                track=face.track,
                points=face.points,
                opacity=opacity_by_yaw(read_yaw(face.points))
                * min(1.0, self._ages[face.track] / (FADE_FRAMES + 1))
                * self._remaining(face.track),
            )
            for face in now.faces
        )

    def _remaining(self, track: int) -> float:
        """The opacity left to a face that goes within the frames known."""
        for ahead, (_, faces) in enumerate(self._waiting, 1):
            if faces.cut:
                return 1.0
            if all(face.track != track for face in faces.faces):
                return ahead / (FADE_FRAMES + 1)
        return 1.0


def opacity_by_yaw(yaw: float) -> float:
    return min(1.0, max(0.0, (LAST_YAW - abs(yaw)) / (LAST_YAW - FULL_YAW)))
