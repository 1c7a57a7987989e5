"""Motion of a face from frame to frame, measured on its pixels.

The landmarks of a still face tremble as a whole by a third of a percent of the eye distance: the mesh network
sees each frame afresh. Optical flow at points of the mesh gives the movement between two frames ten times as
exactly, but errors add up over many frames; ShapeSmoother joins the two.
"""

import cv2
import numpy as np
import numpy.typing as npt

from facecli.engines.mesh.arrays import Mask, Points
from facecli.engines.mesh.landmarks import LANDMARKS, Similarity, eye_distance
from facecli.engines.mesh.networks import MESH_SIDE, Square
from facecli.engines.mesh.planes import Frame, Upright

_POINTS = slice(0, LANDMARKS, 6)
_WINDOW, _LEVELS = (15, 15), 3
_LEAST_POINTS = 24
_ROUNDS = 3  # of dropping points that move otherwise than most, such as lips
_OUTLIER = 2.5  # median residuals
_LEAST_OUTLIER = 0.1  # pixels of the square in which the face is seen
_MAX_RESIDUAL = 0.02  # eye distances, median: beyond that, the flow is lost


class FaceMotion:
    """Remembers one face of the last frame. `follow` before `remember`, in every frame."""

    def __init__(self) -> None:
        self._before: Mask | None = None
        self._square = Square(center=np.zeros(2), side=1.0, angle=0.0)
        self._points: npt.NDArray[np.float64] = np.empty((0, 2))
        self._inside: npt.NDArray[np.bool_] = np.empty(0, np.bool_)
        self._unit = 1.0

    def remember(self, frame: Frame, points: Points) -> None:
        self._square, self._unit = Square.of_mesh(points), eye_distance(points)
        self._points = points[_POINTS, :2].astype(np.float64)
        self._inside = np.asarray(((self._points >= 0) & (self._points < frame.size)).all(1))
        self._before = frame.upright_luma(self._square.transform(MESH_SIDE), MESH_SIDE)

    def follow(self, shown: Upright) -> Similarity | None:
        """The similarity from the last frame to this one; None if the face cannot be followed.

        `shown` is the square of the mesh of the last frame, in this one.
        """
        if self._before is None:
            return None
        matrix = self._square.transform(MESH_SIDE)
        back = cv2.invertAffineTransform(matrix)
        start = (self._points @ matrix[:, :2].T + matrix[:, 2]).astype(np.float32)
        moved, found, _ = cv2.calcOpticalFlowPyrLK(
            self._before, shown.luma, start, np.empty_like(start), winSize=_WINDOW, maxLevel=_LEVELS
        )
        new = moved.astype(np.float64) @ back[:, :2].T + back[:, 2]
        least = _LEAST_OUTLIER * max(1.0, self._square.side / MESH_SIDE)
        kept = (found.ravel() > 0) & self._inside
        return _fit_of_most(self._points, new, kept, least=least, most=_MAX_RESIDUAL * self._unit)


def _fit_of_most(
    old: npt.NDArray[np.float64],
    new: npt.NDArray[np.float64],
    kept: npt.NDArray[np.bool_],
    *,
    least: float,
    most: float,
) -> Similarity | None:
    """The similarity of the points that move alike: a residual up to `least` is no outlier."""
    for _ in range(_ROUNDS):
        if kept.sum() < _LEAST_POINTS:
            return None
        fit = Similarity.fit(old[kept], new[kept])
        off = fit.apply(old) - new
        residuals = np.hypot(off[:, 0], off[:, 1])
        typical = float(np.median(residuals[kept]))
        before, kept = kept, kept & (residuals <= max(_OUTLIER * typical, least))
        if np.array_equal(kept, before):  # the fit would be the same
            break
    return fit if typical <= most else None
