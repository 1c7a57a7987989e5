"""Colour adjustment: gives the new face the skin colour, or the light, of the target."""

import cv2
import numpy as np
import numpy.typing as npt

from facecli.engines.mesh.arrays import Image, Mask, blurred, resized

ColorTable = npt.NDArray[np.uint8]  # 1 x 256 x 3: the new value for each of Lab

_FOLLOW = (
    0.2  # of a frame's statistics; the rest is that of the frames before, so that colours do not flicker
)
_GAIN = (0.6, 1.5)  # bounds of the change of contrast
_LIGHT = (0.4, 2.5)  # bounds of the change of brightness
_FLOOR = 8.0  # of 255, added before dividing brightness
_LEAST_PIXELS = 16  # of skin, to know its colour


class SkinColor:
    """Matches mean and deviation of the skin in Lab, averaged over time. One object for each face."""

    def __init__(self) -> None:
        self._average: npt.NDArray[np.float64] | None = None

    def table(self, face: Image, target: Image, skin: Mask) -> ColorTable | None:
        """The change of colours for this frame, from thumbnails in Lab; None while no skin was seen."""
        if int(skin.sum()) >= _LEAST_PIXELS:
            self._follow(
                np.concatenate([*cv2.meanStdDev(face, mask=skin), *cv2.meanStdDev(target, mask=skin)])
            )
        if self._average is None:
            return None
        mean, deviation, wanted_mean, wanted_deviation = self._average.reshape(4, 3)
        gain = np.clip(wanted_deviation / np.maximum(deviation, 1), *_GAIN)
        levels = np.arange(256)[:, None]
        return np.clip(np.round((levels - mean) * gain + wanted_mean), 0, 255).astype(np.uint8)[None]

    def _follow(self, statistics: npt.NDArray[np.float64]) -> None:
        now = statistics.ravel()
        self._average = now if self._average is None else self._average + _FOLLOW * (now - self._average)


def in_lab(picture: Image) -> Image:
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2LAB), np.uint8)


def recolored(lab: Image, table: ColorTable) -> Image:
    """A picture in Lab with other colours, as BGR."""
    return np.asarray(cv2.cvtColor(cv2.LUT(lab, table), cv2.COLOR_LAB2BGR), np.uint8)


def match_light(face: Image, target: Image, skin: Mask, *, unit: float) -> Image:
    """Give the face the target's low frequencies: its shading and colour cast."""
    if int(skin.sum()) < _LEAST_PIXELS:
        return face
    height, width = skin.shape
    sigma = unit * 0.35
    step = max(1, int(sigma / 6))
    small = (max(4, width // step), max(4, height // step))
    weight = skin.astype(np.float32)
    spread = np.maximum(blurred(resized(weight, small), sigma / step), 1e-3)[..., None]

    def low(picture: Image) -> npt.NDArray[np.float32]:
        masked = resized(picture.astype(np.float32) * weight[..., None], small)
        return np.asarray(resized(blurred(masked, sigma / step) / spread, (width, height)), np.float32)

    ratio = np.clip((low(target) + _FLOOR) / (low(face) + _FLOOR), *_LIGHT)
    lit = (face.astype(np.float32) + _FLOOR) * ratio - _FLOOR
    return np.asarray(np.clip(lit, 0, 255), np.uint8)
