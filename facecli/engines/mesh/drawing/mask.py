"""The mask of the new face: a feathered oval without the target's eyes, open mouth and hair."""

from dataclasses import dataclass

import cv2
import numpy as np

from facecli.engines.mesh.arrays import Alpha, Image, Mask, Points, blurred, hull, polygon, resized
from facecli.engines.mesh.drawing.skin import skin_likeness
from facecli.engines.mesh.landmarks import (
    BROWS,
    FOREHEAD,
    INNER_LIPS,
    LEFT_EYE,
    OUTER_LIPS,
    OVAL,
    RIGHT_EYE,
    eye_distance,
    mouth_openness,
)
from facecli.engines.mesh.options import Eyes, MeshOptions, Mouth

OPEN_MOUTH = 0.06  # eye distances between the lips
_LIKENESS_SIDE = 160  # pixels at which hair is looked for


@dataclass(frozen=True, slots=True, kw_only=True)
class FaceMask:
    """`alpha` is the opacity of the new face: 0 outside `oval`. `skin` is bare skin, for its colour."""

    alpha: Alpha
    oval: Mask
    inner: Mask
    skin: Mask
    holes: bool  # whether eyes or mouth of the target are left out


def face_mask(
    target: Image, points: Points, covered: Mask, likeness: Alpha, options: MeshOptions
) -> FaceMask:
    """The mask on the target's region. `covered` is the mesh, `likeness` the source's likeness to skin."""
    shape = (target.shape[0], target.shape[1])
    unit = eye_distance(points)
    oval = points[list(OVAL), :2]
    center = oval.mean(0)
    hard = polygon(shape, center + (oval - center) * options.size) & covered
    hard[[0, -1]] = 0
    hard[:, [0, -1]] = 0
    reach = max(3, int(unit * options.feather))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    inner = np.asarray(cv2.erode(hard, disc, borderType=cv2.BORDER_CONSTANT, borderValue=(0,)), np.uint8)
    alpha = blurred(inner.astype(np.float32), reach / 1.6)
    holes = _holes(shape, points, options)
    skin = inner.copy()
    for part in (RIGHT_EYE, LEFT_EYE, OUTER_LIPS):
        skin[hull(shape, points[list(part)]) > 0] = 0
    if holes.any():
        alpha = alpha * (1 - blurred(holes.astype(np.float32), max(0.8, unit * 0.012)))
    both = _without_hair(target, points, likeness)
    skin &= (both > 0.5).astype(np.uint8)
    alpha = np.asarray(alpha * both * hard * options.strength, np.float32)  # outside the oval nothing changes
    return FaceMask(alpha=alpha, oval=hard, inner=inner, skin=skin, holes=bool(holes.any()))


def _holes(shape: tuple[int, int], points: Points, options: MeshOptions) -> Mask:
    holes = np.zeros(shape, np.uint8)
    if options.eyes is Eyes.TARGET:
        holes |= hull(shape, points[list(RIGHT_EYE)]) | hull(shape, points[list(LEFT_EYE)])
    opened = options.mouth is Mouth.AUTO and mouth_openness(points) > OPEN_MOUTH
    if opened or options.mouth is Mouth.TARGET:
        holes |= polygon(shape, points[list(INNER_LIPS)])
    return holes


def _without_hair(target: Image, points: Points, likeness: Alpha) -> Alpha:
    """The smaller of both likenesses: the source's everywhere, the target's on its forehead."""
    height, width = target.shape[:2]
    ratio = min(1.0, _LIKENESS_SIDE / max(width, height))
    small = (max(2, round(width * ratio)), max(2, round(height * ratio)))
    scaled = points.copy()
    scaled[:, :2] *= np.array(small, np.float32) / (width, height)
    forehead = polygon(
        (small[1], small[0]), np.concatenate([scaled[list(FOREHEAD)], scaled[list(BROWS[::-1])]])
    )
    both = np.minimum(resized(likeness, small), skin_likeness(resized(target, small), scaled, forehead))
    shrunk = np.asarray(cv2.erode(both, np.ones((3, 3), np.uint8)))
    smooth = blurred(shrunk, max(1.0, eye_distance(points) * ratio * 0.03))
    return np.asarray(resized(smooth, (width, height)), np.float32)
