"""Frames in the video's own planes: regions of them as BGR pictures, and patches blended into them.

Theory of operation: a frame is never converted as a whole. The region of a face is converted to 8-bit BGR;
the patch made from it is converted to the video's matrix, range and depth and blended into the planes where
its opacity is above 0. All other samples keep their bits.
"""

import cv2
import numpy as np
import numpy.typing as npt

from facecli.core.video.frames import FrameLayout
from facecli.engines.mesh.arrays import Image, Plane, resized
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
        steps = steps_per_level(layout)
        peak = (steps * 256 - 1) if layout.full_range else None
        luma = (peak if peak else 219 * steps) / 255
        chroma = (peak if peak else 224 * steps) / 255
        offset = np.array([0 if layout.full_range else 16 * steps, *[128 * steps] * 2])
        forward = np.diag([luma, chroma, chroma]) @ to_ycc
        backward = np.linalg.inv(forward)
        self._from_bgr = np.concatenate([forward, offset[:, None]], 1).astype(np.float32)
        self._to_bgr = np.concatenate([backward, -(backward @ offset)[:, None]], 1).astype(np.float32)

    def to_bgr(self, samples: npt.NDArray[np.float32]) -> Image:
        pixels = cv2.transform(samples, self._to_bgr)
        return np.asarray(np.clip(np.rint(pixels), 0, 255), np.uint8)

    def from_bgr(self, pixels: Image) -> npt.NDArray[np.float32]:
        return np.asarray(cv2.transform(pixels.astype(np.float32), self._from_bgr), np.float32)


class Frame:
    """One frame of a video; `blend` changes its planes in place."""

    def __init__(self, data: bytearray, layout: FrameLayout, conversion: ColorConversion) -> None:
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
        luma, blue, red = self._cut(region)
        size = region.size
        samples = cv2.merge(
            [luma.astype(np.float32), *(self._enlarged(plane, size) for plane in (blue, red))]
        )
        return self._conversion.to_bgr(np.asarray(samples, np.float32))

    def thumbnail(self, short_side: int) -> tuple[Image, float]:
        """The whole frame with a short side of at most so many pixels, and its scale."""
        width, height = self.size
        scale = min(1.0, short_side / min(width, height))
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        planes = [resized(plane.astype(np.float32), size) for plane in (self._luma, self._blue, self._red)]
        return self._conversion.to_bgr(np.asarray(cv2.merge(planes), np.float32)), scale

    def blend(self, patch: Patch, region: Region) -> None:
        """Put the patch on the frame; samples whose opacity is 0 keep their bits."""
        new = self._conversion.from_bgr(patch.pixels)
        luma, blue, red = self._cut(region)
        self._blend_plane(luma, new[..., 0], patch.alpha)
        columns, rows = blue.shape[1], blue.shape[0]
        alpha = patch.alpha
        if (rows, columns) != alpha.shape:
            alpha = np.asarray(resized(alpha, (columns, rows)), np.float32)
        for plane, channel in ((blue, 1), (red, 2)):
            wanted = new[..., channel]
            if (rows, columns) != wanted.shape:
                wanted = np.asarray(resized(wanted, (columns, rows)), np.float32)
            self._blend_plane(plane, wanted, alpha)

    def _blend_plane(
        self, plane: Plane, new: npt.NDArray[np.float32], alpha: npt.NDArray[np.float32]
    ) -> None:
        rows, columns = np.nonzero(alpha > 0)
        if not rows.size:
            return
        box = (slice(rows.min(), rows.max() + 1), slice(columns.min(), columns.max() + 1))
        old, opacity = plane[box].astype(np.float32), alpha[box]
        mixed = np.rint(old + (new[box] - old) * opacity)
        peak = (1 << self._layout.bits) - 1
        plane[box] = np.where(opacity > 0, np.clip(mixed, 0, peak), plane[box]).astype(plane.dtype)

    def _cut(self, region: Region) -> tuple[Plane, Plane, Plane]:
        columns, rows = self._layout.column_step, self._layout.row_step
        color = (
            slice(region.top // rows, -(-region.bottom // rows)),
            slice(region.left // columns, -(-region.right // columns)),
        )
        luma = self._luma[region.top : region.bottom, region.left : region.right]
        return luma, self._blue[color], self._red[color]

    def _enlarged(self, plane: Plane, size: tuple[int, int]) -> npt.NDArray[np.float32]:
        samples = plane.astype(np.float32)
        if (samples.shape[1], samples.shape[0]) == size:
            return samples
        return np.asarray(cv2.resize(samples, size, interpolation=cv2.INTER_LINEAR), np.float32)
