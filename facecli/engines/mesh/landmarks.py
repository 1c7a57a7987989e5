"""The 468 landmarks of the face mesh: groups of indices, the canonical face, pose and similarity.

Indices are those of MediaPipe's face mesh; "right" is the person's own right side.
"""

import json
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from facecli.engines.mesh.arrays import Points
from facecli.engines.weights import CANONICAL_MESH

LANDMARKS = 468

RIGHT_EYE_CORNER, LEFT_EYE_CORNER = 33, 263  # the outer ones
UPPER_LIP, LOWER_LIP = 13, 14  # their inner middles

# fmt: off
OVAL = (10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377,
        152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109)
INNER_LIPS = (78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308, 415, 310, 311, 312, 13, 82, 81, 80, 191)
OUTER_LIPS = (61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 409, 270, 269, 267, 0, 37, 39, 40, 185)
RIGHT_EYE = (33, 7, 163, 144, 145, 153, 154, 155, 133, 173, 157, 158, 159, 160, 161, 246)
LEFT_EYE = (263, 249, 390, 373, 374, 380, 381, 382, 362, 398, 384, 385, 386, 387, 388, 466)
BROWS = (70, 63, 105, 66, 107, 336, 296, 334, 293, 300)  # from the right to the left
FOREHEAD = (127, 162, 21, 54, 103, 67, 109, 10, 338, 297, 332, 284, 251, 389, 356)
CHEEKS = (50, 101, 118, 205, 280, 330, 347, 425, 4, 195, 6, 151, 200)  # bare skin: also nose and brow
FIVE_POINTS = (263, 362, 33, 133, 2)  # eye corners and the base of the nose, for the recognizer
# fmt: on


@dataclass(frozen=True, slots=True, kw_only=True)
class CanonicalFace:
    """The mesh of an average face, y downwards like a picture's, z away from the viewer."""

    points: Points
    triangles: npt.NDArray[np.int32]  # 898 x 3 indices, without a hole


@cache
def canonical_face() -> CanonicalFace:
    values = json.loads(CANONICAL_MESH.read_text())
    vertices = np.array(values["v"], np.float32).reshape(LANDMARKS, 5)[:, :3]
    triangles = np.array(values["i"], np.int32).reshape(-1, 3)
    return CanonicalFace(points=vertices * np.array([1, -1, -1], np.float32), triangles=triangles)


def eye_distance(points: npt.NDArray[np.floating]) -> float:
    """Pixels between the outer corners of the eyes: the unit of every length on a face."""
    return float(np.linalg.norm(points[RIGHT_EYE_CORNER, :2] - points[LEFT_EYE_CORNER, :2]))


def mouth_openness(points: Points) -> float:
    """Distance between the lips, in eye distances."""
    gap = float(np.linalg.norm(points[UPPER_LIP, :2] - points[LOWER_LIP, :2]))
    return gap / max(eye_distance(points), 1e-6)


def read_yaw(points: Points) -> float:
    """Degrees by which the head is turned, as a fit of the canonical face reads it.

    The fit reads about two thirds of the true angle: 28 degrees are really 40, 35 really 55."""
    model = canonical_face().points
    model, seen = model - model.mean(0), points - points.mean(0)
    left, _, right = np.linalg.svd(seen.T @ model)
    handed = np.diag([1.0, 1.0, float(np.sign(np.linalg.det(left @ right)))])
    rotation = left @ handed @ right
    return float(np.degrees(np.arctan2(rotation[0, 2], rotation[2, 2])))


@dataclass(frozen=True, slots=True, kw_only=True)
class Similarity:
    """Scale, rotation and shift of the plane: `linear @ point + shift`."""

    linear: npt.NDArray[np.float64]  # 2 x 2
    shift: npt.NDArray[np.float64]

    @property
    def scale(self) -> float:
        return float(np.sqrt(abs(np.linalg.det(self.linear))))

    @classmethod
    def fit(cls, source: npt.NDArray[np.floating], target: npt.NDArray[np.floating]) -> "Similarity":
        """The least-squares similarity from points to points, both n x 2."""
        source_mean, target_mean = source.mean(0), target.mean(0)
        a, b = source - source_mean, target - target_mean
        norm = float((a * a).sum())
        cos, sin = float((a * b).sum()) / norm, float((a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]).sum()) / norm
        linear = np.array([[cos, -sin], [sin, cos]], np.float64)
        return cls(linear=linear, shift=target_mean - linear @ source_mean)

    def apply(self, points: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
        return np.asarray(points @ self.linear.T + self.shift, np.float64)

    def invert(self, points: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
        return np.asarray((points - self.shift) @ np.linalg.inv(self.linear).T, np.float64)

    def then(self, motion: "Similarity") -> "Similarity":
        return Similarity(linear=motion.linear @ self.linear, shift=motion.linear @ self.shift + motion.shift)

    def toward(self, other: "Similarity", share: float) -> "Similarity":
        """The similarity between the two, 0 for this one and 1 for the other."""
        return Similarity(
            linear=self.linear + share * (other.linear - self.linear),
            shift=self.shift + share * (other.shift - self.shift),
        )
