"""Motion of a face from frame to frame, measured on its pixels.

The landmarks of a still face tremble as a whole by a third of a percent of the eye distance: the mesh network
sees each frame afresh. Optical flow at points of the mesh gives the movement between two frames ten times as
exactly, but errors add up over many frames; ShapeSmoother joins the two.
"""

import cv2
import numpy as np
import numpy.typing as npt

from facecli.engines.mesh.arrays import MEAN_BELOW, Mask, Plane, Points, resized
from facecli.engines.mesh.landmarks import LANDMARKS, Similarity, eye_distance

_EYE_DISTANCE = 64.0  # pixels to which the face is scaled down
_MARGIN = 0.5  # eye distances around the mesh, within which it may move
_POINTS = slice(0, LANDMARKS, 6)
_WINDOW, _LEVELS = (15, 15), 3
_LEAST_POINTS = 24
_ROUNDS = 3  # of dropping points that move otherwise than most, such as lips
_OUTLIER = 2.5  # median residuals
_LEAST_OUTLIER = 0.1  # pixels of the scaled face
_MAX_RESIDUAL = 0.02  # eye distances, median: beyond that, the flow is lost


class FaceMotion:
    """Remembers one face of the last frame. `follow` before `remember`, in every frame."""

    def __init__(self) -> None:
        self._before: Mask | None = None
        self._points: Points = np.empty((0, 3), np.float32)
        self._window = (slice(0), slice(0))

    def remember(self, luma: Plane, steps: int, points: Points) -> None:
        """`steps` of a sample are one of 256."""
        margin = eye_distance(points) * _MARGIN
        low = np.maximum(points[:, :2].min(0) - margin, 0).astype(int)
        high = np.ceil(points[:, :2].max(0) + margin).astype(int)
        self._window = (slice(int(low[1]), int(high[1])), slice(int(low[0]), int(high[0])))
        self._points = points
        self._before = self._picture(luma, steps)

    def follow(self, luma: Plane, steps: int) -> Similarity | None:
        """The similarity from the last frame to this one; None if the face cannot be followed."""
        before, now = self._before, self._picture(luma, steps)
        if before is None or now is None:
            return None
        columns, rows = luma[self._window].shape[::-1]
        scale = np.array([before.shape[1] / columns, before.shape[0] / rows])
        corner = np.array([self._window[1].start, self._window[0].start])
        old = self._points[_POINTS, :2].astype(np.float64)
        start = ((old - corner + 0.5) * scale - 0.5).astype(np.float32)
        moved, found, _ = cv2.calcOpticalFlowPyrLK(
            before, now, start, np.empty_like(start), winSize=_WINDOW, maxLevel=_LEVELS
        )
        new = (moved.astype(np.float64) + 0.5) / scale - 0.5 + corner
        return _fit_of_most(old, new, found.ravel() > 0, unit=eye_distance(self._points))

    def _picture(self, luma: Plane, steps: int) -> Mask | None:
        cut = luma[self._window]
        scale = min(1.0, _EYE_DISTANCE / max(eye_distance(self._points), 1e-6)) if len(self._points) else 1.0
        size = (round(cut.shape[1] * scale), round(cut.shape[0] * scale))
        if min(size) < _WINDOW[0]:
            return None
        small = resized(cut, size, mean=scale < MEAN_BELOW)
        return np.ascontiguousarray(small // steps if steps > 1 else small, np.uint8)


def _fit_of_most(
    old: npt.NDArray[np.float64], new: npt.NDArray[np.float64], kept: npt.NDArray[np.bool_], *, unit: float
) -> Similarity | None:
    """The similarity of the points that move alike."""
    least = _LEAST_OUTLIER * max(1.0, unit / _EYE_DISTANCE)
    for _ in range(_ROUNDS):
        if kept.sum() < _LEAST_POINTS:
            return None
        fit = Similarity.fit(old[kept], new[kept])
        residuals = np.linalg.norm(fit.apply(old) - new, axis=1)
        typical = float(np.median(residuals[kept]))
        kept = kept & (residuals <= max(_OUTLIER * typical, least))
    return fit if typical <= _MAX_RESIDUAL * unit else None
