"""The source face: found in a photo, scaled, and prepared for warping."""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from facecli.core.errors import NoFace
from facecli.engines.mesh.arrays import Image, Points, polygon, resized
from facecli.engines.mesh.drawing.skin import skin_likeness
from facecli.engines.mesh.landmarks import BROWS, FOREHEAD, OVAL, read_yaw
from facecli.engines.mesh.networks import Detection, FaceDetector, FaceMesh, Square

FACE_HEIGHT = 300  # pixels from forehead to chin, to which the photo is scaled
LEAST_SCORE = 0.5
TURNED = 20.0  # degrees of read yaw at which the hidden cheek shows background
_CANDIDATES = 4  # of a view, the largest ones
_LEVEL = np.radians(20)  # of roll; the detector reads 90 as 33 and more
_CERTAIN = 0.9  # score of the mesh; one that stands on its head has 0.3 to 0.6
_BORDER = 0.5  # of the photo's longer side, added when no face is found
_RING = 0.86  # of the oval; outside of it and above the brows skin is checked for


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFace:
    """Pixels with a fourth channel, the likeness to skin; landmarks; and whether the head is turned."""

    pixels: npt.NDArray[np.uint8]  # height x width x 4
    points: Points
    yaw: float
    faces: int  # found in the photo; the largest is used

    @property
    def picture(self) -> Image:
        return np.ascontiguousarray(self.pixels[..., :3])

    @property
    def turned(self) -> bool:
        return abs(self.yaw) > TURNED


def prepare_source(photo: Image, detector: FaceDetector, mesh: FaceMesh) -> SourceFace:
    """Find the largest face; NoFace if there is none, also with a border and turned by 90 degrees.

    Unless the face is certainly upright, the photo is looked at in all turns: on a face that lies on its side
    or stands on its head the mesh may be wrong. The detector is surest of an upright one.
    """
    border = round(max(photo.shape[:2]) * _BORDER)
    edges = (border, border, border, border)
    bordered = cv2.copyMakeBorder(photo, *edges, borderType=cv2.BORDER_REPLICATE)
    for picture in (photo, np.asarray(bordered, np.uint8)):
        found = _located(picture, detector, mesh)
        if found is None or not found.upright:
            turned = (np.ascontiguousarray(np.rot90(picture, turns)) for turns in (1, 2, 3))
            views = [found, *(_located(view, detector, mesh) for view in turned)]
            found = max((each for each in views if each), key=lambda each: each.detection.score, default=None)
        if found:
            return _prepared(found)
    raise NoFace("there is no face in the picture")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Located:
    """The largest face of a view of the photo, which is scaled to the height to work with."""

    pixels: Image
    points: Points
    score: float  # of the mesh
    detection: Detection
    faces: int

    @property
    def upright(self) -> bool:
        return abs(self.detection.square.angle) < _LEVEL and self.score > _CERTAIN


def _located(picture: Image, detector: FaceDetector, mesh: FaceMesh) -> _Located | None:
    """The largest face; none is what the detector takes for a face and the mesh does not."""
    detections = sorted(detector.detect(picture), key=lambda found: found.area, reverse=True)
    for found in detections[:_CANDIDATES]:
        pixels, square = _scaled(picture, found)
        points, score = _settled(mesh, pixels, square)
        if score >= LEAST_SCORE:
            return _Located(pixels=pixels, points=points, score=score, detection=found, faces=len(detections))
    return None


def _scaled(picture: Image, found: Detection) -> tuple[Image, Square]:
    """The picture in which the face has the height to work with, and the square of the face in it."""
    scale = min(FACE_HEIGHT / max(1.0, found.box[3] * 1.5), 2.0)  # the box ends at the brows
    size = (max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale)))
    square = found.square
    square = Square(center=square.center * scale, side=square.side * scale, angle=square.angle)
    return resized(picture, size), square


def _prepared(found: _Located) -> SourceFace:
    pixels, points = found.pixels, found.points
    region = polygon(pixels.shape[:2], np.concatenate([points[list(FOREHEAD)], points[list(BROWS[::-1])]]))
    oval = points[list(OVAL), :2]
    center = oval.mean(0)
    region |= polygon(pixels.shape[:2], oval) & (
        1 - polygon(pixels.shape[:2], center + (oval - center) * _RING)
    )
    likeness = (skin_likeness(pixels, points, region) * 255).astype(np.uint8)
    return SourceFace(
        pixels=np.dstack([pixels, likeness]), points=points, yaw=read_yaw(points), faces=found.faces
    )


def _settled(mesh: FaceMesh, picture: Image, square: Square) -> tuple[Points, float]:
    """The landmarks after three looks, each in the square of the one before."""
    points, score = mesh.locate(picture, square)
    for _ in range(2):
        points, score = mesh.locate(picture, Square.of_mesh(points))
    return points, score
