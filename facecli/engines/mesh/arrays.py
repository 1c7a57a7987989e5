"""Array types of the engine, and small drawing helpers."""

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

Image = npt.NDArray[np.uint8]  # height x width x 3, BGR
Mask = npt.NDArray[np.uint8]  # height x width, 0 or 1
Alpha = npt.NDArray[np.float32]  # height x width, 0 to 1
Points = npt.NDArray[
    np.float32
]  # 468 x 3: x and y in pixels of the picture, z in pixels towards the viewer's back
Plane = npt.NDArray[Any]  # height x width, uint8 or uint16

MEAN_BELOW = 0.5  # scale from which on single pixels, interpolated, miss none of the original ones

_SUBPIXEL_BITS = 4


def polygon(shape: tuple[int, int], corners: npt.NDArray[Any]) -> Mask:
    """The inside of a polygon, drawn with a sixteenth of a pixel."""
    mask = np.zeros(shape, np.uint8)
    fixed = np.round(corners[:, :2] * (1 << _SUBPIXEL_BITS)).astype(np.int32)
    cv2.fillPoly(mask, [fixed], (1,), cv2.LINE_8, _SUBPIXEL_BITS)
    return mask


def hull(shape: tuple[int, int], corners: npt.NDArray[Any]) -> Mask:
    """The inside of the convex hull of points."""
    return polygon(shape, cv2.convexHull(corners[:, :2].astype(np.float32))[:, 0])


def blurred(values: npt.NDArray[Any], sigma: float) -> npt.NDArray[Any]:
    return np.asarray(cv2.GaussianBlur(values, (0, 0), sigma))


def resized(
    values: npt.NDArray[Any], size: tuple[int, int], *, nearest: bool = False, mean: bool = True
) -> npt.NDArray[Any]:
    """Scale to (width, height); where it shrinks, by the `mean` of the pixels, else by single ones.

    Means of two by two pixels are several times as fast as others, and taken first; single pixels then miss
    none of them.
    """
    while mean and not nearest and _can_halve(values, size):
        half = (values.shape[1] // 2, values.shape[0] // 2)
        values = np.asarray(cv2.resize(values, half, interpolation=cv2.INTER_AREA))
        mean = size[0] * 2 < half[0] or size[1] * 2 < half[1]
    if size == (values.shape[1], values.shape[0]):
        return values
    shrinks = size[0] * size[1] < values.shape[0] * values.shape[1]
    smooth = cv2.INTER_AREA if shrinks and mean else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(values, size, interpolation=cv2.INTER_NEAREST if nearest else smooth))


def _can_halve(values: npt.NDArray[Any], size: tuple[int, int]) -> bool:
    """Whether the half of both sides is whole, and not smaller than the size."""
    height, width = values.shape[:2]
    whole = width % 2 == 0 and height % 2 == 0
    return whole and bool(width >= 2 * size[0] and height >= 2 * size[1])
