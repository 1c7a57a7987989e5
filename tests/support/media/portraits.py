"""Clips of portraits for tests of real swaps: a moving camera before a still picture, and a turned head."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

import facecli.media.samples
from facecli.core.video.frames import FrameLayout, Planes
from facecli.engines.mesh.arrays import Image, Points
from facecli.engines.mesh.drawing.warp import Warp
from facecli.engines.mesh.drawing.warped_face import WarpedFace
from facecli.engines.mesh.landmarks import LEFT_EYE_CORNER, RIGHT_EYE_CORNER, eye_distance
from facecli.engines.mesh.options import MeshOptions
from facecli.engines.mesh.patch import FaceBlender, Patch, Region, TargetFace
from facecli.engines.mesh.planes import ColorConversion, Frame, sample_type
from facecli.engines.mesh.segment_swapper import Networks
from facecli.engines.mesh.source import SourceFace, prepare_source

FOLDER = Path(facecli.media.samples.__path__[0])
ASTRONAUT, HOPPER = FOLDER / "astronaut.png", FOLDER / "grace_hopper.jpg"
RATE = 25


@cache
def networks() -> Networks:
    cv2.setNumThreads(1)
    return Networks.load()


def photo(path: Path) -> Image:
    return np.asarray(cv2.imread(str(path)), np.uint8)


@cache
def portrait(path: Path) -> SourceFace:
    return prepare_source(photo(path), networks().detector, networks().mesh)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shot:
    """A frame, and the exact 2 x 3 matrix from the portrait to it."""

    picture: Image
    matrix: npt.NDArray[np.float64]


def moving_camera(face: SourceFace, size: tuple[int, int], frames: int) -> Iterator[Shot]:
    """Pan, zoom and roll before a portrait; the face stays inside. The borders are replicated, not mirrored:
    a mirrored face would be a second one."""
    width, height = size
    unit = eye_distance(face.points)
    middle = (face.points[RIGHT_EYE_CORNER, :2] + face.points[LEFT_EYE_CORNER, :2]) / 2
    for number in range(frames):
        time = number / RATE
        scale = height / (unit * 6.5) * (1 + 0.25 * np.sin(1.3 * time))
        roll = np.radians(10) * np.sin(1.7 * time + 0.5)
        cos, sin = np.cos(roll) * scale, np.sin(roll) * scale
        matrix = np.array([[cos, -sin, 0], [sin, cos, 0]])
        place = (width / 2 + width * 0.18 * np.sin(0.9 * time), height * (0.42 + 0.05 * np.sin(2.1 * time)))
        matrix[:, 2] = place - matrix[:, :2] @ middle
        smooth = cv2.INTER_AREA if scale < 0.6 else cv2.INTER_CUBIC
        picture = cv2.warpAffine(face.picture, matrix, size, flags=smooth, borderMode=cv2.BORDER_REPLICATE)
        yield Shot(picture=np.asarray(picture, np.uint8), matrix=matrix)


def turned_head(face: SourceFace, degrees: float) -> tuple[Image, Points]:
    """The portrait's face turned by its own mesh before a blurred background, and its exact landmarks."""
    angle = np.radians(degrees)
    middle = face.points.mean(0)
    x, y, z = (face.points - middle).T
    turned = np.stack([x * np.cos(angle) + z * np.sin(angle), y, z * np.cos(angle) - x * np.sin(angle)], 1)
    points = (turned + middle).astype(np.float32)
    height, width = face.pixels.shape[:2]
    warp = Warp.between(face.points, points, (width, height))
    pixels, covered = warp.draw(face.picture, (width, height)), warp.covered
    background = cv2.GaussianBlur(face.picture, (0, 0), 25)
    inner = cv2.erode(covered, np.ones((5, 5), np.uint8)).astype(np.float32)
    alpha = cv2.GaussianBlur(inner, (0, 0), 3)[..., None]
    return (background + (pixels.astype(np.float32) - background) * alpha).astype(np.uint8), points


def to_planes(picture: Image, layout: FrameLayout) -> bytearray:
    """The planes of a picture in this layout."""
    samples = ColorConversion(layout).from_bgr(picture)
    peak = (1 << layout.bits) - 1
    planes: list[npt.NDArray[Any]] = [samples[..., 0]]
    for channel in (1, 2):
        color = np.ascontiguousarray(samples[..., channel])
        planes.append(np.asarray(cv2.resize(color, layout.color_size, interpolation=cv2.INTER_AREA)))
    return bytearray(
        b"".join(np.clip(np.rint(p), 0, peak).astype(sample_type(layout)).tobytes() for p in planes)
    )


def to_picture(data: Planes, layout: FrameLayout) -> Image:
    frame = Frame(bytearray(data), layout, ColorConversion(layout))
    return frame.region(Region(left=0, top=0, right=layout.width, bottom=layout.height))


class PhotoSwapper:
    """Puts the face of a photo on one face of a video, without tracking."""

    def __init__(self, source: SourceFace, options: MeshOptions) -> None:
        self._source, self._blender = WarpedFace(source), FaceBlender(options)

    def patch(self, target: Image, points: Points) -> Patch:
        face = TargetFace(pixels=target, points=points)
        return self._blender.patch(face, self._source.draw([face])[0])
