"""Frames in the video's own planes: regions of them as BGR pictures, and patches blended into them.

Theory of operation: a frame is never converted as a whole. The region of a face is converted to 8-bit BGR;
the patch made from it is converted to the video's matrix, range and depth and blended into the planes where
its opacity is above 0. All other samples keep their bits.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from facecli.core.video.frames import FrameLayout, Planes
from facecli.engines.mesh.arrays import Alpha, Image, Mask, Plane, resized
from facecli.engines.mesh.patch import Patch, Region

# Matrix, by ffmpeg's name → the weights of red and blue in the luma.
_LUMA_WEIGHTS = {
    "bt709": (0.2126, 0.0722),
    "bt2020nc": (0.2627, 0.0593),
    "bt2020c": (0.2627, 0.0593),
    "smpte240m": (0.212, 0.087),
    "fcc": (0.30, 0.11),
    "smpte170m": (0.299, 0.114),
    "bt470bg": (0.299, 0.114),
}
_HALVED_BELOW = 0.7  # scale of a square that the mesh network sees
_AROUND = 4  # pixels around it
HD_WIDTH, HD_HEIGHT = 1280, 576  # players take an undeclared matrix for BT.709 from this size on


def sample_type(layout: FrameLayout) -> npt.DTypeLike:
    return np.uint8 if layout.bits == 8 else np.dtype("<u2")


def steps_per_level(layout: FrameLayout) -> int:
    """Steps of a sample for one step of an 8-bit one."""
    return 1 << (layout.bits - 8)


class ColorConversion:
    """Conversion between the samples of a layout and 8-bit BGR."""

    def __init__(self, layout: FrameLayout) -> None:
        high_definition = layout.width >= HD_WIDTH or layout.height > HD_HEIGHT
        guessed = "bt709" if high_definition else "smpte170m"
        red, blue = _LUMA_WEIGHTS.get(layout.matrix, _LUMA_WEIGHTS[guessed])
        green = 1 - red - blue
        to_ycc = np.array(
            [
                [blue, green, red],
                [0.5, -green / (2 * (1 - blue)), -red / (2 * (1 - blue))],
                [-blue / (2 * (1 - red)), -green / (2 * (1 - red)), 0.5],
            ]
        )
        self._type = sample_type(layout)
        steps = steps_per_level(layout)
        peak = (steps * 256 - 1) if layout.full_range else None
        luma = (peak if peak else 219 * steps) / 255
        chroma = (peak if peak else 224 * steps) / 255
        offset = np.array([0 if layout.full_range else 16 * steps, *[128 * steps] * 2])
        forward = np.diag([luma, chroma, chroma]) @ to_ycc
        backward = np.linalg.inv(forward)
        self._from_bgr = np.concatenate([forward, offset[:, None]], 1).astype(np.float32)
        self._to_bgr = np.concatenate([backward, -(backward @ offset)[:, None]], 1).astype(np.float32)

    def to_bgr(self, samples: npt.NDArray[Any]) -> Image:
        pixels = cv2.transform(samples, self._to_bgr)  # rounded, and kept within the range of the samples
        return np.asarray(pixels if pixels.dtype == np.uint8 else cv2.convertScaleAbs(pixels), np.uint8)

    def from_bgr(self, pixels: Image) -> npt.NDArray[Any]:
        """Samples of the layout, of all three planes in full size."""
        return np.asarray(cv2.transform(np.asarray(pixels, self._type), self._from_bgr))


@dataclass(frozen=True, slots=True, kw_only=True)
class Upright:
    """A turned square of a frame, upright."""

    pixels: Image
    luma: Mask  # 8 bits


class Frame:
    """One frame of a video; `blend` changes its planes in place."""

    def __init__(self, data: Planes, layout: FrameLayout, conversion: ColorConversion) -> None:
        self._layout = layout
        self._conversion = conversion
        samples = np.frombuffer(data, sample_type(layout))
        columns, rows = layout.color_size
        luma, color = layout.width * layout.height, columns * rows
        self._luma = samples[:luma].reshape(layout.height, layout.width)
        self._blue = samples[luma : luma + color].reshape(rows, columns)
        self._red = samples[luma + color :].reshape(rows, columns)

    @property
    def size(self) -> tuple[int, int]:
        return self._layout.width, self._layout.height

    @property
    def luma(self) -> Plane:
        return self._luma

    @property
    def scale(self) -> int:
        """Steps of a sample for one step of an 8-bit one."""
        return steps_per_level(self._layout)

    def region(self, region: Region) -> Image:
        """A region as an 8-bit BGR picture."""
        return self._conversion.to_bgr(_merged(self._cut(region), region.size))

    def thumbnail(self, short_side: int) -> tuple[Image, float]:
        """The whole frame with a short side of at most so many pixels, and its scale."""
        width, height = self.size
        scale = min(1.0, short_side / min(width, height))
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        return self._conversion.to_bgr(_merged((self._luma, self._blue, self._red), size)), scale

    def upright(self, matrix: npt.NDArray[np.float64], side: int) -> "Upright":
        """The square to which a 2 x 3 matrix maps a part of the frame."""
        across, down = self._layout.column_step, self._layout.row_step
        of_color = matrix @ np.array([[across, 0, (across - 1) / 2], [0, down, (down - 1) / 2], [0, 0, 1]])
        luma = _turned(self._luma, matrix, side)
        colors = [_turned(plane, of_color, side) for plane in (self._blue, self._red)]
        pixels = self._conversion.to_bgr(np.asarray(cv2.merge([luma, *colors])))
        return Upright(pixels=pixels, luma=self._eight_bits(luma))

    def upright_luma(self, matrix: npt.NDArray[np.float64], side: int) -> Mask:
        """The brightness alone, 8 bits of it."""
        return self._eight_bits(_turned(self._luma, matrix, side))

    def _eight_bits(self, luma: Plane) -> Mask:
        return np.asarray(luma if luma.dtype == np.uint8 else luma // steps_per_level(self._layout), np.uint8)

    def blend(self, patch: Patch, region: Region) -> None:
        """Put the patch on the frame; samples whose opacity is 0 keep their bits."""
        new = self._conversion.from_bgr(patch.pixels)
        luma, blue, red = self._cut(region)
        _blend_plane(luma, new[..., 0], patch.alpha)
        size = (blue.shape[1], blue.shape[0])
        colors, alpha = resized(new, size), resized(patch.alpha, size)
        _blend_plane(blue, colors[..., 1], alpha)
        _blend_plane(red, colors[..., 2], alpha)

    def _cut(self, region: Region) -> tuple[Plane, Plane, Plane]:
        columns, rows = self._layout.column_step, self._layout.row_step
        color = (
            slice(region.top // rows, -(-region.bottom // rows)),
            slice(region.left // columns, -(-region.right // columns)),
        )
        luma = self._luma[region.top : region.bottom, region.left : region.right]
        return luma, self._blue[color], self._red[color]


def _turned(plane: Plane, matrix: npt.NDArray[np.float64], side: int) -> Plane:
    """The square to which a matrix maps a part of a plane, of which it takes the half where it shrinks."""
    if abs(float(np.linalg.det(matrix[:, :2]))) < _HALVED_BELOW**2:
        corners = np.array([[0, 0, side, side], [0, side, 0, side]], np.float64)
        places = np.linalg.solve(matrix[:, :2], corners - matrix[:, 2:])
        left, top = (max(0, int(value)) // 2 * 2 for value in places.min(1) - _AROUND)
        right, bottom = (int(value) for value in places.max(1) + _AROUND)
        part = plane[top:bottom, left:right]
        half = (part.shape[1] // 2, part.shape[0] // 2)
        if min(half) > 0:
            plane = resized(part[: half[1] * 2, : half[0] * 2], half)
            matrix = matrix @ np.array([[2, 0, left + 0.5], [0, 2, top + 0.5], [0, 0, 1]])
    return np.asarray(cv2.warpAffine(plane, matrix, (side, side), borderMode=cv2.BORDER_REPLICATE))


def _merged(planes: Iterable[Plane], size: tuple[int, int]) -> npt.NDArray[Any]:
    return np.asarray(cv2.merge([resized(plane, size) for plane in planes]))


def _blend_plane(plane: Plane, new: Plane, alpha: Alpha) -> None:
    change = cv2.subtract(new, plane, dtype=cv2.CV_16S)
    change = cv2.multiply(change, alpha, dtype=cv2.CV_16S)
    depth = cv2.CV_8U if plane.dtype == np.uint8 else cv2.CV_16U
    plane[:] = cv2.add(plane, change, dtype=depth)
