"""The source face: found in a photo, scaled, and prepared for warping."""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from facecli.core.errors import NoFace
from facecli.engines.mesh.arrays import Image, Points, polygon, resized
from facecli.engines.mesh.drawing.skin import skin_likeness
from facecli.engines.mesh.landmarks import BROWS, CHIN, FOREHEAD, FOREHEAD_TOP, OVAL, read_yaw
from facecli.engines.mesh.networks import Detection, FaceDetector, FaceMesh, Square

FACE_HEIGHT = 300  # pixels from forehead to chin, to which the photo is scaled
LEAST_SCORE = 0.5
FULL_FRAME = 0.7  # share of the photo's height from which on a face fills it
TURNED = 20.0  # degrees of read yaw at which the hidden cheek shows background
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
    """Find the largest face; NoFace if there is none, also with a border and turned by 90 degrees."""
    upright, detections = _find(photo, detector)
    best = max(detections, key=lambda found: found.area)
    scale = min(FACE_HEIGHT / max(1.0, best.box[3] * 1.5), 2.0)  # the box ends at the brows
    upright = resized(
        upright, (max(1, round(upright.shape[1] * scale)), max(1, round(upright.shape[0] * scale)))
    )
    square = Square(center=best.square.center * scale, side=best.square.side * scale, angle=best.square.angle)
    points, score = _settled(mesh, upright, square)
    if score < LEAST_SCORE:
        raise NoFace
    yaw = read_yaw(points)
    region = polygon(upright.shape[:2], np.concatenate([points[list(FOREHEAD)], points[list(BROWS[::-1])]]))
    oval = points[list(OVAL), :2]
    center = oval.mean(0)
    region |= polygon(upright.shape[:2], oval) & (
        1 - polygon(upright.shape[:2], center + (oval - center) * _RING)
    )
    likeness = (skin_likeness(upright, points, region) * 255).astype(np.uint8)
    return SourceFace(pixels=np.dstack([upright, likeness]), points=points, yaw=yaw, faces=len(detections))


def face_share(points: Points, height: int) -> float:
    """Share of the photo's height that the face takes."""
    return float(np.linalg.norm(points[FOREHEAD_TOP, :2] - points[CHIN, :2])) / height


def _find(photo: Image, detector: FaceDetector) -> tuple[Image, list[Detection]]:
    """The photo as it is, with a border, and turned: the first one with a face."""
    border = round(max(photo.shape[:2]) * _BORDER)
    edges = (border, border, border, border)
    bordered = np.asarray(cv2.copyMakeBorder(photo, *edges, borderType=cv2.BORDER_REPLICATE), np.uint8)
    for picture in (photo, bordered):
        for turns in range(4):
            turned = np.ascontiguousarray(np.rot90(picture, turns))
            if found := detector.detect(turned):
                return turned, found
    raise NoFace


def _settled(mesh: FaceMesh, picture: Image, square: Square) -> tuple[Points, float]:
    """The landmarks after three looks, each in the square of the one before."""
    points, score = mesh.locate(picture, square)
    for _ in range(2):
        points, score = mesh.locate(picture, Square.of_mesh(points))
    return points, score
