"""The mask of the new face: a feathered oval without the target's eyes, open mouth and hair.

Theory of operation: all of it is smooth but the edges of eyes and mouth. So it is made on thumbnails and
enlarged, and eyes and mouth are cut out in full size.
"""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from facecli.engines.mesh.arrays import Alpha, Image, Mask, Points, blurred, hull, polygon
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
LEAST_FEATHER = 3.0  # pixels of the target
_ANY_CORNER = np.ones((3, 3), np.uint8)


@dataclass(frozen=True, slots=True, kw_only=True)
class FaceMask:
    """The thumbnail of a mask. `alpha` is the opacity of the new face: 0 outside `oval`.

    `inner` is a part of the oval, `skin` the bare skin in it, by whose colour the new face is adjusted.
    """

    alpha: Alpha
    oval: Mask
    inner: Mask
    skin: Mask


def face_mask(
    target: Image, points: Points, covered: Mask, likeness: Alpha, options: MeshOptions, *, scale: float
) -> FaceMask:
    """The mask on a target that was scaled so.

    `covered` is the mesh, `likeness` the source's likeness to skin.
    """
    shape = (target.shape[0], target.shape[1])
    oval = points[list(OVAL), :2]
    center = oval.mean(0)
    hard = polygon(shape, center + (oval - center) * options.size) & covered
    hard[[0, -1]] = 0
    hard[:, [0, -1]] = 0
    reach = max(LEAST_FEATHER * scale, eye_distance(points) * options.feather)
    depth = cv2.distanceTransform(hard, cv2.DIST_L2, cv2.DIST_MASK_5)
    inside = np.clip(depth - np.float32(reach - 0.5), 0, 1)
    inner = (depth > reach).astype(np.uint8)
    skin = inner.copy()
    for part in (RIGHT_EYE, LEFT_EYE, OUTER_LIPS):
        skin[hull(shape, points[list(part)]) > 0] = 0
    both = _without_hair(target, points, likeness)
    skin &= (both > 0.5).astype(np.uint8)
    soft = blurred(inside, reach / 1.6)
    alpha = np.asarray(soft * both * hard * np.float32(options.strength), np.float32)
    return FaceMask(alpha=alpha, oval=hard, inner=inner, skin=skin)


def holes(points: Points, options: MeshOptions) -> list[npt.NDArray[np.float32]]:
    """The outlines of the target's parts that stay to be seen."""
    found = []
    if options.eyes is Eyes.TARGET:
        eyes = (points[list(RIGHT_EYE), :2], points[list(LEFT_EYE), :2])
        found += [cv2.convexHull(eye)[:, 0] for eye in eyes]
    opened = options.mouth is Mouth.AUTO and mouth_openness(points) > OPEN_MOUTH
    if opened or options.mouth is Mouth.TARGET:
        found.append(points[list(INNER_LIPS), :2])
    return [np.asarray(outline, np.float32) for outline in found]


def cut_out(alpha: Alpha, outline: npt.NDArray[np.float32], *, unit: float) -> None:
    """Make the inside of an outline transparent, with a soft edge."""
    sigma = max(0.8, unit * 0.012)
    margin = int(3 * sigma) + 2
    low = np.maximum(np.floor(outline.min(0)).astype(int) - margin, 0)
    high = np.ceil(outline.max(0)).astype(int) + margin + 1
    box = (slice(low[1], max(0, high[1])), slice(low[0], max(0, high[0])))
    shape = (alpha[box].shape[0], alpha[box].shape[1])
    if min(shape) > 0:
        alpha[box] *= 1 - blurred(polygon(shape, outline - low).astype(np.float32), sigma)


def _without_hair(target: Image, points: Points, likeness: Alpha) -> Alpha:
    """The smaller of both likenesses: the source's everywhere, the target's on its forehead."""
    shape = (target.shape[0], target.shape[1])
    forehead = polygon(shape, np.concatenate([points[list(FOREHEAD)], points[list(BROWS[::-1])]]))
    both = np.minimum(likeness, skin_likeness(target, points, forehead))
    shrunk = cv2.erode(both, _ANY_CORNER)
    return np.asarray(blurred(np.asarray(shrunk), max(1.0, eye_distance(points) * 0.03)), np.float32)
