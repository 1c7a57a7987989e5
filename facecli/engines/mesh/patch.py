"""The patch: the new face for one region of a frame, and its opacity."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Protocol

import cv2
import numpy as np

from facecli.engines.mesh.arrays import MEAN_BELOW, Alpha, Image, Mask, Points, resized
from facecli.engines.mesh.drawing.color import ColorTable, SkinColor, in_lab, match_light
from facecli.engines.mesh.drawing.mask import FaceMask, cut_out, face_mask, holes
from facecli.engines.mesh.landmarks import eye_distance
from facecli.engines.mesh.options import Blend, Color, MeshOptions

MARGIN = 0.35  # eye distances around the mesh
LEAST_SIDE = 16  # pixels of a region that can be swapped
THUMBNAIL_SIDE = 176  # pixels, at most; a warp on it differs by 41 dB from one in full size


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """A rectangle of a frame. Its corners are at even pixels, so that it holds whole samples of colour."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def size(self) -> tuple[int, int]:
        return self.right - self.left, self.bottom - self.top

    @classmethod
    def around(
        cls, points: Points, frame_size: tuple[int, int], *, margin: float = MARGIN
    ) -> "Region | None":
        """The region of a face with a margin, inside the frame; None if too little of it is there."""
        margin = max(6, int(eye_distance(points) * margin))
        low = np.floor(points[:, :2].min(0)).astype(int) - margin
        high = np.ceil(points[:, :2].max(0)).astype(int) + margin
        left, top = (max(0, int(value)) // 2 * 2 for value in low)
        right, bottom = (
            min(length, -(-int(value) // 2) * 2) for value, length in zip(high, frame_size, strict=True)
        )
        if right - left < LEAST_SIDE or bottom - top < LEAST_SIDE:
            return None
        return cls(left=left, top=top, right=right, bottom=bottom)

    def relative(self, points: Points) -> Points:
        moved = points.copy()
        moved[:, :2] -= np.array([self.left, self.top], np.float32)
        return moved


@dataclass(frozen=True, slots=True, kw_only=True)
class Patch:
    pixels: Image
    alpha: Alpha

    def faded(self, opacity: float) -> "Patch":
        return self if opacity >= 1 else replace(self, alpha=self.alpha * np.float32(opacity))

    def on(self, target: Image) -> Image:
        """The target with the patch on it."""
        base = target.astype(np.float32)
        return np.round(base + (self.pixels - base) * self.alpha[..., None]).astype(np.uint8)


@dataclass(frozen=True, kw_only=True)
class TargetFace:
    """A region of a frame, with the landmarks of the face in it."""

    pixels: Image
    points: Points

    @property
    def size(self) -> tuple[int, int]:
        return self.pixels.shape[1], self.pixels.shape[0]

    @cached_property
    def thumbnail(self) -> "TargetFace":
        """The region scaled to a longer side of at most `THUMBNAIL_SIDE`."""
        size = self.size
        ratio = min(1.0, THUMBNAIL_SIDE / max(size))
        small = (max(2, round(size[0] * ratio)), max(2, round(size[1] * ratio)))
        points = self.points.copy()
        points[:, :2] = (points[:, :2] + 0.5) * (np.array(small) / size) - 0.5
        pixels = resized(self.pixels, small, mean=ratio < MEAN_BELOW)
        return TargetFace(pixels=np.asarray(pixels, np.uint8), points=points)

    @property
    def sample(self) -> Image:
        """Single pixels of the region, in the size of the thumbnail."""
        small = self.thumbnail
        if small.size[0] >= self.size[0] * MEAN_BELOW:
            return small.pixels
        return np.asarray(resized(self.pixels, small.size, mean=False), np.uint8)


class DrawnFace(Protocol):
    """A new face in the region of a target."""

    @property
    def covered(self) -> Mask:
        """The pixels that it has, on the thumbnail."""
        ...

    @property
    def likeness(self) -> Alpha:
        """Its likeness to skin, on the thumbnail."""
        ...

    def sample(self) -> Image:
        """Single pixels of it in Lab, on the thumbnail."""
        ...

    def pixels(self, table: ColorTable | None) -> Image:
        """The face in full size, its colours changed by a table."""
        ...


class FaceSource(Protocol):
    """Draws the source face on targets; mask, colour and blending follow for all sources alike."""

    @property
    def margin(self) -> float:
        """Eye distances around the mesh that it needs to see of a target."""
        ...

    def draw(self, targets: Sequence[TargetFace]) -> Sequence[DrawnFace]:
        """The faces of one frame, in one call."""
        ...


class FaceBlender:
    """Makes the patches of one face of a video, whose colours it averages over time."""

    def __init__(self, options: MeshOptions) -> None:
        self._options = options
        self._color = SkinColor()

    def observe(self, on: TargetFace, drawn: DrawnFace) -> None:
        """Note the colours of a frame that needs no patch."""
        if self._options.color is Color.LAB:
            self._table(on, drawn, self._mask(on, drawn))

    def patch(self, on: TargetFace, drawn: DrawnFace) -> Patch:
        """The patch for a region of the frame."""
        options = self._options
        mask = self._mask(on, drawn)
        face = drawn.pixels(self._table(on, drawn, mask) if options.color is Color.LAB else None)
        if options.color is Color.LIGHT:
            face = match_light(face, on.pixels, _enlarged(mask.skin, on), unit=eye_distance(on.points))
        alpha = np.asarray(resized(mask.alpha, on.size), np.float32)
        outlines = holes(on.points, options)
        if options.blend is Blend.POISSON and mask.inner.any():
            oval = _enlarged(mask.oval, on)
            face = _cloned(face, on.pixels, oval, _enlarged(mask.inner, on))
            alpha = alpha if outlines else oval * np.float32(options.strength)
        for outline in outlines:
            cut_out(alpha, outline, unit=eye_distance(on.points))
        return Patch(pixels=face, alpha=alpha)

    def _mask(self, on: TargetFace, drawn: DrawnFace) -> FaceMask:
        small = on.thumbnail
        scale = small.size[0] / on.size[0]
        return face_mask(
            small.pixels, small.points, drawn.covered, drawn.likeness, self._options, scale=scale
        )

    def _table(self, on: TargetFace, drawn: DrawnFace, mask: FaceMask) -> ColorTable | None:
        return self._color.table(drawn.sample(), in_lab(on.sample), mask.skin)


def _enlarged(mask: Mask, on: TargetFace) -> Mask:
    return np.asarray(resized(mask, on.size, nearest=True), np.uint8)


def _cloned(face: Image, target: Image, oval: Mask, inner: Mask) -> Image:
    left, top, width, height = cv2.boundingRect(inner)
    full = np.where(oval[..., None] > 0, face, target)
    center = (left + width // 2, top + height // 2)
    cloned = cv2.seamlessClone(full, np.ascontiguousarray(target), inner * 255, center, cv2.NORMAL_CLONE)
    return np.asarray(cloned, np.uint8)
