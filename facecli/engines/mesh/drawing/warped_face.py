"""WarpedFace: the source face, drawn by moving the pixels of its photo."""

from collections.abc import Sequence

import numpy as np

from facecli.engines.mesh.arrays import Alpha, Image, Mask
from facecli.engines.mesh.drawing.color import ColorTable, in_lab, recolored
from facecli.engines.mesh.drawing.warp import Warp
from facecli.engines.mesh.patch import DrawnFace, TargetFace
from facecli.engines.mesh.source import SourceFace

_AROUND = 4  # pixels of the photo around the mesh, for what is between pixels


class WarpedFace:
    """A `FaceSource` that moves the pixels of the source's photo.

    Colours are changed on the photo, before it is warped: it is often smaller than the face in the video.
    """

    margin = 0.0

    def __init__(self, source: SourceFace) -> None:
        low = np.maximum(np.floor(source.points[:, :2].min(0)).astype(int) - _AROUND, 0)
        high = np.ceil(source.points[:, :2].max(0)).astype(int) + _AROUND
        pixels = source.pixels[low[1] : high[1], low[0] : high[0]]
        self.points = source.points.copy()
        self.points[:, :2] -= low
        self.pixels: Image = np.ascontiguousarray(pixels[..., :3])
        self.lab = in_lab(self.pixels)
        self.likeness: Mask = np.ascontiguousarray(pixels[..., 3])

    def draw(self, targets: Sequence[TargetFace]) -> Sequence[DrawnFace]:
        return [_Drawn(self, target) for target in targets]


class _Drawn:
    def __init__(self, source: WarpedFace, target: TargetFace) -> None:
        self._source, self._size = source, target.size
        small = target.thumbnail
        self._small = small.size
        self._warp = Warp.between(source.points, small.points, small.size)

    @property
    def covered(self) -> Mask:
        return self._warp.covered

    @property
    def likeness(self) -> Alpha:
        drawn = self._warp.draw(self._source.likeness, self._small)
        drawn[self._warp.covered == 0] = 255
        return drawn.astype(np.float32) / np.float32(255)

    def sample(self) -> Image:
        return self._warp.draw(self._source.lab, self._small)

    def pixels(self, table: ColorTable | None) -> Image:
        pixels = self._source.pixels if table is None else recolored(self._source.lab, table)
        return self._warp.draw(pixels, self._size)
