"""Tracking: the faces of consecutive frames and their landmarks.

Theory of operation: the detector looks at the first frame, after a cut, at every `DETECT_EVERY`th frame, and
while no face is known; otherwise the mesh is located in the square around the last landmarks. A new face is
compared with the wanted person once; from then on its place decides. Where one person is wanted and followed,
another face is news only if it is a mirror's, and the detector looks half as often, at one view of the frame
at a time.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from facecli.engines.mesh.arrays import Points, resized
from facecli.engines.mesh.detection import find_faces, locate, located, look, same_place
from facecli.engines.mesh.landmarks import Similarity, eye_distance
from facecli.engines.mesh.motion import FaceMotion
from facecli.engines.mesh.networks import FaceDetector, FaceMesh, Square
from facecli.engines.mesh.planes import Frame
from facecli.engines.mesh.smoothing import ShapeSmoother

DETECT_EVERY = 12  # frames
DETECT_FOLLOWED_EVERY = 24  # frames, while the only wanted person is followed
CUT_DIFFERENCE = 30.0  # of 255, mean between thumbnails of neighbouring frames
_CUT_SIZE, _CUT_LINES = (32, 18), 4  # of every fourth line
_LEAST_EYE_DISTANCE = 6.0  # pixels; smaller faces are left as they are


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackedFace:
    """A wanted face in one frame. `track` is the same in consecutive frames, and never used for another."""

    track: int
    points: Points


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameFaces:
    """The wanted faces of one frame, and whether it begins a shot."""

    faces: tuple[TrackedFace, ...]
    cut: bool


@dataclass(slots=True, kw_only=True)
class _Track:
    number: int
    wanted: bool
    points: Points
    smoother: ShapeSmoother
    pixels: FaceMotion
    motion: Similarity | None = None  # since the frame before

    @property
    def square(self) -> Square:
        return Square.of_mesh(self.points)


class FaceTracker:
    """Follows faces from frame to frame. `wanted` decides on a new face by its landmarks."""

    def __init__(
        self,
        detector: FaceDetector,
        mesh: FaceMesh,
        *,
        rate: float,
        wanted: Callable[[Frame, Points], bool],
        single: bool = False,
        smooth: float = 0.5,
        small: bool = False,
    ) -> None:
        """`single` says that it wants no more than one person."""
        self._detector, self._mesh, self._wanted, self._single = detector, mesh, wanted, single
        self._rate, self._smooth, self._tiles = rate, smooth, 2 if small else 1
        self._tracks: list[_Track] = []
        self._numbers = 0
        self._thumbnail: npt.NDArray[np.float32] | None = None

    def track(self, frame: Frame, number: int) -> FrameFaces:
        """The faces of the next frame; `number` counts from the beginning of the video."""
        cut = self._is_cut(frame)
        if cut:
            self._tracks.clear()
        self._tracks = [track for track in self._tracks if self._follow(frame, track)]
        followed = self._single and any(track.wanted for track in self._tracks)
        if followed and number % DETECT_FOLLOWED_EVERY == 0:
            self._detect(frame, tiles=self._tiles, turn=number // DETECT_FOLLOWED_EVERY)
        elif cut or (not followed and number % DETECT_EVERY == 0):
            self._detect(frame, tiles=self._tiles)
        elif not self._tracks:
            self._detect(frame, tiles=0)
        faces = [
            TrackedFace(track=track.number, points=track.smoother.smooth(track.points, track.motion))
            for track in self._tracks
            if track.wanted and eye_distance(track.points) >= _LEAST_EYE_DISTANCE
        ]
        for track in self._tracks:
            track.pixels.remember(frame, track.points)
        return FrameFaces(faces=tuple(faces), cut=cut)

    def _is_cut(self, frame: Frame) -> bool:
        small = resized(frame.luma[::_CUT_LINES], _CUT_SIZE).astype(np.float32) / np.float32(frame.scale)
        before, self._thumbnail = self._thumbnail, small
        return before is None or float(np.abs(small - before).mean()) > CUT_DIFFERENCE

    def _follow(self, frame: Frame, track: _Track) -> bool:
        square = track.square
        shown = look(frame, square)
        points = located(self._mesh, shown, square) if shown else None
        if shown is None or points is None:
            return False
        track.motion = track.pixels.follow(shown)
        track.points = points
        return not any(
            other is not track and other.number < track.number and same_place(other.square, track.square)
            for other in self._tracks
        )

    def _detect(self, frame: Frame, *, tiles: int, turn: int | None = None) -> None:
        for square in find_faces(frame, self._detector, tiles=tiles, turn=turn):
            if self._is_tracked(square):
                continue
            points = locate(frame, self._mesh, square, looks=3)
            if points is None or self._is_tracked(Square.of_mesh(points)):
                continue
            self._numbers += 1
            smoother = ShapeSmoother(self._rate, strength=self._smooth)
            wanted = self._wanted(frame, points)
            self._tracks.append(
                _Track(
                    number=self._numbers,
                    wanted=wanted,
                    points=points,
                    smoother=smoother,
                    pixels=FaceMotion(),
                )
            )

    def _is_tracked(self, square: Square) -> bool:
        return any(same_place(square, track.square) for track in self._tracks)
