"""The neural networks: face detector, face mesh and face recognizer, on OpenCV's own runtime.

A network object holds buffers of its own and must not be shared between threads.
"""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from facecli.engines.mesh.arrays import Image, Points, resized
from facecli.engines.mesh.landmarks import (
    FIVE_POINTS,
    LANDMARKS,
    LEFT_EYE_CORNER,
    RIGHT_EYE_CORNER,
    Similarity,
)
from facecli.engines.weights import FACE_DETECTION, FACE_LANDMARKS, FACE_RECOGNITION

Embedding = npt.NDArray[np.float32]  # 128 numbers; two pictures of one person are less than 0.6 apart

DETECTION_SIDE = 192  # pixels of the detector's input
_DETECTION_CELLS = 48  # on each side; one anchor in each
_OVERLAP = 0.3  # above which two detections are one face
MESH_SIDE = 192  # pixels of the mesh network's input
_CHIP_SIDE = 150
_CHIP_MEAN = (122.782, 117.001, 104.298)  # of the recognizer's training set, red first
# Where `FIVE_POINTS` lie on the recognizer's input, as shares of its side.
_CHIP_POINTS = (
    (0.8595674595992, 0.2134981538014),
    (0.6460604764104, 0.2289674387677),
    (0.1205750620789, 0.2137274526848),
    (0.3340850613712, 0.2290642403242),
    (0.4901123135679, 0.6277975316475),
)
_CHIP_MARGIN = 0.25  # of the side, around those points


@dataclass(frozen=True, slots=True, kw_only=True)
class Square:
    """A turned square of a picture, to look at a face upright."""

    center: npt.NDArray[np.float64]
    side: float
    angle: float  # radians by which it is turned

    @classmethod
    def around(cls, points: npt.NDArray[np.floating], angle: float) -> "Square":
        """The square around points, with a margin for the whole face."""
        cos, sin = np.cos(angle), np.sin(angle)
        turned = points[:, :2] @ np.array([[cos, sin], [-sin, cos]]).T
        low, high = turned.min(0), turned.max(0)
        center = (low + high) / 2 @ np.array([[cos, sin], [-sin, cos]])
        return cls(center=center, side=float((high - low).max()) * 1.5, angle=float(angle))

    @classmethod
    def of_mesh(cls, points: Points) -> "Square":
        across = points[LEFT_EYE_CORNER] - points[RIGHT_EYE_CORNER]
        return cls.around(points, float(np.arctan2(across[1], across[0])))

    def transform(self, side: int) -> npt.NDArray[np.float64]:
        """The 2 x 3 matrix from the picture to an upright square of `side` pixels."""
        scale = side / self.side
        cos, sin = np.cos(self.angle) * scale, np.sin(self.angle) * scale
        matrix = np.array([[cos, sin, 0.0], [-sin, cos, 0.0]])
        matrix[:, 2] = side / 2 - matrix[:, :2] @ self.center
        return matrix


@dataclass(frozen=True, slots=True, kw_only=True)
class Detection:
    """A detected face: its box (x, y, width, height), two eyes first among its key points, and a score."""

    box: npt.NDArray[np.float64]
    points: npt.NDArray[np.float64]  # 6 x 2
    score: float

    @property
    def square(self) -> Square:
        eyes = self.points[1] - self.points[0]
        center = self.box[:2] + self.box[2:] / 2
        return Square(
            center=center, side=float(self.box[2:].max()) * 1.5, angle=float(np.arctan2(eyes[1], eyes[0]))
        )

    @property
    def area(self) -> float:
        return float(self.box[2] * self.box[3])


class FaceDetector:
    """Finds faces from about a ninth of the picture's height up."""

    def __init__(self) -> None:
        self._network = cv2.dnn.readNetFromTFLite(str(FACE_DETECTION))
        self._outputs = self._network.getUnconnectedOutLayersNames()
        cells = np.arange(_DETECTION_CELLS)
        grid = np.stack(np.meshgrid(cells, cells), -1).reshape(-1, 2)
        self._anchors = (grid + 0.5) / _DETECTION_CELLS

    def detect(self, picture: Image, *, threshold: float = 0.5) -> list[Detection]:
        """The faces, the best first."""
        height, width = picture.shape[:2]
        scale = DETECTION_SIDE / max(height, width)
        small = resized(picture, (max(1, round(width * scale)), max(1, round(height * scale))))
        top, left = (DETECTION_SIDE - small.shape[0]) // 2, (DETECTION_SIDE - small.shape[1]) // 2
        padded = np.zeros((DETECTION_SIDE, DETECTION_SIDE, 3), np.uint8)
        padded[top : top + small.shape[0], left : left + small.shape[1]] = small
        self._network.setInput(cv2.dnn.blobFromImage(padded, 1 / 127.5, mean=(127.5,) * 3, swapRB=True))
        outputs = self._network.forward(self._outputs)
        # The order of the outputs differs between versions of OpenCV.
        values = _output(outputs, last_axis=16)[0]
        logits = np.clip(_output(outputs, last_axis=1)[0, :, 0], -100, 100)
        scores = 1 / (1 + np.exp(-logits))
        kept = scores > threshold
        values, scores, anchors = values[kept] / DETECTION_SIDE, scores[kept], self._anchors[kept]
        points = values.reshape(-1, 8, 2).astype(np.float64)  # middle, size, six points
        points[:, 0] += anchors
        points[:, 2:] += anchors[:, None]
        points = (points * DETECTION_SIDE - (left, top)) / scale
        sizes = values[:, 2:4].astype(np.float64) * DETECTION_SIDE / scale
        boxes = np.concatenate([points[:, 0] - sizes / 2, sizes], 1)
        return merged(
            [
                Detection(box=box, points=six, score=float(score))
                for box, six, score in zip(boxes, points[:, 2:], scores, strict=True)
            ]
        )


def merged(detections: list[Detection]) -> list[Detection]:
    """One detection for each face, the best first."""
    boxes = [detection.box.tolist() for detection in detections]
    scores = [detection.score for detection in detections]
    kept = cv2.dnn.NMSBoxes(boxes, scores, 0.0, _OVERLAP) if boxes else ()
    return [detections[int(index)] for index in np.array(kept, np.int64).ravel()]


class FaceMesh:
    """Finds the 468 landmarks of a face in a square of the picture."""

    def __init__(self) -> None:
        self._network = cv2.dnn.readNetFromTFLite(str(FACE_LANDMARKS))
        self._outputs = self._network.getUnconnectedOutLayersNames()

    def locate(self, picture: Image, square: Square) -> tuple[Points, float]:
        """The landmarks, and the score of there being a face, 0 to 1."""
        matrix = square.transform(MESH_SIDE)
        crop = cv2.warpAffine(picture, matrix, (MESH_SIDE, MESH_SIDE), borderMode=cv2.BORDER_REPLICATE)
        return self.locate_in(np.asarray(crop, np.uint8), square)

    def locate_in(self, crop: Image, square: Square) -> tuple[Points, float]:
        """As `locate`, in the square's own pixels, `MESH_SIDE` on each side."""
        self._network.setInput(cv2.dnn.blobFromImage(crop, 1 / 255, swapRB=True))
        outputs = self._network.forward(self._outputs)
        raw = next(output for output in outputs if output.size == LANDMARKS * 3).reshape(LANDMARKS, 3)
        logit = float(next(output for output in outputs if output.size == 1).ravel()[0])
        back = cv2.invertAffineTransform(square.transform(MESH_SIDE))
        points = np.empty((LANDMARKS, 3), np.float32)
        points[:, :2] = raw[:, :2] @ back[:, :2].T + back[:, 2]
        points[:, 2] = raw[:, 2] * (square.side / MESH_SIDE)
        return points, float(1 / (1 + np.exp(-np.clip(logit, -100, 100))))


class FaceRecognizer:
    """Computes embeddings, by which two pictures of one person can be distinguished from those of two."""

    def __init__(self) -> None:
        self._network = cv2.dnn.readNetFromONNX(str(FACE_RECOGNITION))
        shares = (np.array(_CHIP_POINTS) + _CHIP_MARGIN) / (1 + 2 * _CHIP_MARGIN)
        self._template = shares * _CHIP_SIDE

    def embed(self, picture: Image, points: Points) -> Embedding:
        fit = Similarity.fit(points[list(FIVE_POINTS), :2], self._template)
        matrix = np.concatenate([fit.linear, fit.shift[:, None]], 1)
        flags = cv2.INTER_AREA if fit.scale < 0.5 else cv2.INTER_LINEAR
        chip = cv2.warpAffine(picture, matrix, (_CHIP_SIDE, _CHIP_SIDE), flags=flags)
        self._network.setInput(cv2.dnn.blobFromImage(chip, 1 / 256, mean=_CHIP_MEAN, swapRB=True))
        return np.array(self._network.forward()[0], np.float32)


def distance(first: Embedding, second: Embedding) -> float:
    return float(np.linalg.norm(first - second))


def _output(outputs: Any, *, last_axis: int) -> npt.NDArray[np.float32]:
    return np.asarray(next(output for output in outputs if output.shape[-1] == last_axis))
