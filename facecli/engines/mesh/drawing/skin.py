"""Skin likeness: keeps hair, hats and background off the result."""

import cv2
import numpy as np

from facecli.engines.mesh.arrays import Alpha, Image, Mask, Points, blurred
from facecli.engines.mesh.landmarks import CHEEKS, eye_distance

_LEAST_DEVIATION = (18.0, 5.0, 6.0)  # of lightness and the two colours, on 8-bit Lab
_WEIGHTS = np.sqrt((0.6, 1, 1))
_UNLIKE, _SPAN = 4.2, 1.4  # deviations from which on it is not skin, and over which it fades


def skin_likeness(picture: Image, points: Points, region: Mask) -> Alpha:
    """1 where a pixel of the region has about the colour of this face's cheeks and nose; 1 outside it."""
    unit = eye_distance(points)
    lab = cv2.cvtColor(picture, cv2.COLOR_BGR2LAB)
    height, width = picture.shape[:2]
    samples = np.zeros((height, width), np.uint8)
    places = np.clip(np.round(points[list(CHEEKS), :2]).astype(int), 0, (width - 1, height - 1))
    for x, y in places.tolist():
        cv2.circle(samples, (x, y), max(1, int(unit * 0.05)), (1,), -1)
    mean, deviation = (values.ravel() for values in cv2.meanStdDev(lab, mask=samples))
    weights = _WEIGHTS / np.maximum(deviation, _LEAST_DEVIATION)
    likeness = np.ones((height, width), np.float32)
    left, top, columns, rows = cv2.boundingRect(region)
    box = (slice(top, top + rows), slice(left, left + columns))
    smooth = blurred(lab, max(0.8, unit * 0.015))[box].astype(np.float32)
    if not smooth.size:
        return likeness
    off = cv2.transform(smooth, np.column_stack([np.diag(weights), -mean * weights]))
    away = np.sqrt(np.einsum("ijk,ijk->ij", off, off))
    like = np.clip((_UNLIKE - away) / _SPAN, 0, 1)
    likeness[box] = np.where(region[box] > 0, like, 1)
    return likeness
