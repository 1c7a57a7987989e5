"""Swaps of portraits in clips with a known movement, made once for all tests that look at them."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from facecli.core.video.frames import FrameLayout
from facecli.engines.mesh.arrays import Image, Points
from facecli.engines.mesh.drawing.warped_face import WarpedFace
from facecli.engines.mesh.figures import Figures
from facecli.engines.mesh.identities import Selection
from facecli.engines.mesh.networks import Square
from facecli.engines.mesh.options import MeshOptions
from facecli.engines.mesh.segment_swapper import FrameClock, SegmentSwapper
from tests.support.media.portraits import (
    ASTRONAUT,
    HOPPER,
    RATE,
    moving_camera,
    networks,
    portrait,
    to_picture,
    to_planes,
)

FRAMES = 20
STEP = 4  # frames between those that are looked at closely
SAME_PERSON = 0.6
SIZES = {"360": (640, 360), "720": (1280, 720)}
PAIRS = {"astronaut on hopper": (ASTRONAUT, HOPPER), "hopper on astronaut": (HOPPER, ASTRONAUT)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    before: list[Image]
    after: list[Image]
    matrices: list[npt.NDArray[np.float64]]
    figures: Figures
    source: Path
    target: Path


@cache
def swapped(pair: str, size: str, bits: int = 8, frames: int = FRAMES) -> Result:
    source, target = PAIRS[pair]
    layout = FrameLayout(width=SIZES[size][0], height=SIZES[size][1], bits=bits)
    shots = list(moving_camera(portrait(target), SIZES[size], frames))
    planes = [to_planes(shot.picture, layout) for shot in shots]
    before = [to_picture(data, layout) for data in planes]
    swapper = swapper_of(source, layout)
    done = [data for frame in planes for data in swapper.push(frame, own=True)]
    done += swapper.finish()
    return Result(
        before=before,
        after=[to_picture(data, layout) for data in done],
        matrices=[shot.matrix for shot in shots],
        figures=swapper.figures,
        source=source,
        target=target,
    )


def swapper_of(source: Path, layout: FrameLayout, *, first: int = 0) -> SegmentSwapper:
    return SegmentSwapper(
        networks(),
        WarpedFace(portrait(source)),
        selection=Selection("all", [], match=SAME_PERSON),
        options=MeshOptions(),
        layout=layout,
        clock=FrameClock(first=first, rate=RATE),
    )


def true_points(result: Result, number: int) -> Points:
    """The landmarks of the portrait in a frame, by the known movement."""
    points = portrait(result.target).points.copy()
    matrix = result.matrices[number]
    points[:, :2] = points[:, :2] @ matrix[:, :2].T + matrix[:, 2]
    return points


def landmarks(picture: Image, near: Points) -> Points:
    points, score = networks().mesh.locate(picture, Square.of_mesh(near))
    assert score > 0.5
    return points
