"""The patch: the new face for one region of a frame, and its opacity."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import cv2
import numpy as np

from facecli.engines.mesh.arrays import Alpha, Image, Mask, Points
from facecli.engines.mesh.drawing.color import SkinColor, match_light
from facecli.engines.mesh.drawing.mask import FaceMask, face_mask
from facecli.engines.mesh.drawing.warp import warp
from facecli.engines.mesh.landmarks import eye_distance
from facecli.engines.mesh.options import Blend, Color, MeshOptions
from facecli.engines.mesh.source import SourceFace

_MARGIN = 0.35  # eye distances around the mesh
LEAST_SIDE = 16  # pixels of a region that can be swapped


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
    def around(cls, points: Points, frame_size: tuple[int, int]) -> "Region | None":
        """The region of a face with a margin, inside the frame; None if too little of it is there."""
        margin = max(6, int(eye_distance(points) * _MARGIN))
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


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetFace:
    """A region of a frame, with the landmarks of the face in it."""

    pixels: Image
    points: Points


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnFace:
    """A new face in the region of a target, where it is `covered`, with its likeness to skin."""

    pixels: Image
    covered: Mask
    likeness: Alpha


class FaceSource(Protocol):
    """Draws the source face on targets; mask, colour and blending follow for all sources alike."""

    def draw(self, targets: Sequence[TargetFace]) -> Sequence[DrawnFace]:
        """The faces of one frame, in one call."""
        ...


class WarpedFace:
    """A `FaceSource` that moves the pixels of the source's photo."""

    def __init__(self, source: SourceFace) -> None:
        self._source = source

    def draw(self, targets: Sequence[TargetFace]) -> Sequence[DrawnFace]:
        return [self._drawn(target) for target in targets]

    def _drawn(self, target: TargetFace) -> DrawnFace:
        size = (target.pixels.shape[1], target.pixels.shape[0])
        warped, covered = warp(self._source.pixels, self._source.points, target.points, size)
        return DrawnFace(
            pixels=np.ascontiguousarray(warped[..., :3]),
            covered=covered,
            likeness=warped[..., 3].astype(np.float32) / np.float32(255),
        )


class FaceBlender:
    """Makes the patches of one face of a video, whose colours it averages over time."""

    def __init__(self, options: MeshOptions) -> None:
        self._options = options
        self._color = SkinColor()

    def patch(self, on: TargetFace, drawn: DrawnFace) -> Patch:
        """The patch for a region of the frame."""
        target, points, face = on.pixels, on.points, drawn.pixels
        mask = face_mask(target, points, drawn.covered, drawn.likeness, self._options)
        if self._options.color is Color.LAB:
            face = self._color.match(face, target, mask.skin)
        elif self._options.color is Color.LIGHT:
            face = match_light(face, target, mask.skin, unit=eye_distance(points))
        if self._options.blend is Blend.POISSON and mask.inner.any():
            return _poisson(face, target, mask, strength=self._options.strength)
        return Patch(pixels=face, alpha=mask.alpha)


def _poisson(face: Image, target: Image, mask: FaceMask, *, strength: float) -> Patch:
    rows, columns = np.nonzero(mask.inner)
    center = (int(columns.min() + columns.max() + 1) // 2, int(rows.min() + rows.max() + 1) // 2)
    full = np.where(mask.oval[..., None] > 0, face, target)
    cloned = cv2.seamlessClone(full, np.ascontiguousarray(target), mask.inner * 255, center, cv2.NORMAL_CLONE)
    alpha = mask.alpha if mask.holes else mask.oval.astype(np.float32) * np.float32(strength)
    return Patch(pixels=np.asarray(cloned, np.uint8), alpha=alpha)
