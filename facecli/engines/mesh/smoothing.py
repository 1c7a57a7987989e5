"""Smoothing of landmarks over time, without a lag.

Theory of operation: the network's points tremble by a third of a percent of the eye distance. A filter on
their places would lag behind a moving head. So each frame is split into a similarity (scale, rotation,
shift), fitted to all 468 points, and the shape that remains, in the face's own coordinates. The shape goes
through a One-Euro filter, whose cut-off frequency rises with speed. The similarity of the frame before is
moved as the pixels moved, and corrected by a share of its difference from the one that is fitted; where the
pixels cannot be followed, the fitted one is taken as it is.
"""

import numpy as np
import numpy.typing as npt

from facecli.engines.mesh.arrays import Points
from facecli.engines.mesh.landmarks import Similarity, canonical_face, eye_distance

_MIN_CUTOFF = 0.05  # Hz, of a still face
_BETA = 80.0  # by which the cut-off rises with speed, in eye distances a second
_SPEED_CUTOFF = 1.0  # Hz
_CORRECTION = 0.1  # of the place, in each frame; more in the first ones, whose mean is taken


class ShapeSmoother:
    """Smooths the landmarks of one face; `strength` 0 passes them on, 1 is twice the usual smoothing."""

    def __init__(self, rate: float, *, strength: float = 0.5) -> None:
        self._rate = rate
        self._slowness = max(strength * 2, 1e-6)
        self._off = strength <= 0
        self._place: Similarity | None = None
        self._followed = 0  # frames in a row
        self._shape: npt.NDArray[np.float64] | None = None
        self._speed: npt.NDArray[np.float64] = np.zeros(())

    def smooth(self, points: Points, motion: Similarity | None) -> Points:
        """`motion` is that of the pixels since the frame before; None if it is unknown."""
        if self._off:
            return points
        fit = Similarity.fit(canonical_face().points[:, :2], points[:, :2])
        shape = np.concatenate([fit.invert(points[:, :2]), points[:, 2:] / fit.scale], 1)
        filtered, fit = self._filter(shape), self._placed(fit, motion)
        return np.concatenate([fit.apply(filtered[:, :2]), filtered[:, 2:] * fit.scale], 1).astype(np.float32)

    def _placed(self, fitted: Similarity, motion: Similarity | None) -> Similarity:
        if self._place is None or motion is None:
            self._place, self._followed = fitted, 1
            return fitted
        self._followed += 1
        share = max(min(1.0, _CORRECTION / self._slowness), 1 / self._followed)
        self._place = self._place.then(motion).toward(fitted, share)
        return self._place

    def _filter(self, shape: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        if self._shape is None:
            self._shape, self._speed = shape.copy(), np.zeros_like(shape)
            return shape
        speed = (shape - self._shape) / eye_distance(shape) * self._rate
        self._speed = self._speed + self._weight(_SPEED_CUTOFF) * (speed - self._speed)
        cutoff = (_MIN_CUTOFF + _BETA * np.abs(self._speed)) / self._slowness
        self._shape = self._shape + self._weight(cutoff) * (shape - self._shape)
        return self._shape

    def _weight(self, cutoff: npt.NDArray[np.float64] | float) -> npt.NDArray[np.float64] | float:
        turns = 2 * np.pi * cutoff / self._rate
        return turns / (turns + 1)
