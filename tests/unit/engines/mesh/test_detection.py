"""Detection of faces: a photo in any orientation, and frames of odd shapes in a bounded number of tiles."""

from pathlib import Path

import numpy as np
import pytest

from facecli.core.video.frames import FrameLayout
from facecli.engines.mesh.arrays import Image
from facecli.engines.mesh.detection import find_faces
from facecli.engines.mesh.networks import Detection, FaceDetector, distance
from facecli.engines.mesh.planes import ColorConversion, Frame
from facecli.engines.mesh.source import prepare_source
from facecli.engines.mesh.tracking import DETECT_EVERY, DETECT_FOLLOWED_EVERY, FaceTracker
from tests.support.media.portraits import (
    ASTRONAUT,
    HOPPER,
    moving_camera,
    networks,
    photo,
    portrait,
    to_planes,
)


class Counting(FaceDetector):
    def __init__(self) -> None:
        self.pictures = 0
        self.shapes: list[tuple[int, ...]] = []

    def detect(self, picture: Image, *, threshold: float = 0.5) -> list[Detection]:
        self.pictures += 1
        self.shapes.append(picture.shape[:2])
        return []


class Finding(FaceDetector):
    pictures = 0

    def detect(self, picture: Image, *, threshold: float = 0.5) -> list[Detection]:
        self.pictures += 1
        return super().detect(picture, threshold=threshold)


@pytest.mark.parametrize(
    ("size", "most"),
    [((1280, 720), 1 + 3 + 15), ((720, 1280), 1 + 3 + 15), ((4000, 2), 1), ((16384, 32), 1 + 32 + 32 * 3)],
)
def test_a_frame_of_any_shape_is_searched_in_a_bounded_number_of_tiles(
    size: tuple[int, int], most: int
) -> None:
    layout, detector = FrameLayout(width=size[0], height=size[1]), Counting()
    frame = Frame(bytearray(layout.frame_bytes), layout, ColorConversion(layout))
    assert find_faces(frame, detector, tiles=2) == []
    assert detector.pictures == pytest.approx(most, abs=0 if most == 1 else 2)


def test_each_view_of_a_frame_comes_in_its_turn() -> None:
    layout, whole, turns = FrameLayout(width=1280, height=720), Counting(), Counting()
    frame = Frame(bytearray(layout.frame_bytes), layout, ColorConversion(layout))
    find_faces(frame, whole, tiles=1)
    for turn in range(len(whole.shapes)):
        find_faces(frame, turns, tiles=1, turn=turn)
    assert turns.shapes == whole.shapes == [(192, 341), (192, 192), (192, 192), (192, 192)]


@pytest.mark.media
@pytest.mark.parametrize(
    ("single", "searches"),
    [
        (True, {0: 3, 1: 0, DETECT_EVERY: 0, DETECT_FOLLOWED_EVERY: 1}),
        (False, {0: 3, 1: 0, DETECT_EVERY: 3}),
    ],
)
def test_one_view_is_searched_while_the_only_wanted_person_is_followed(
    single: bool, searches: dict[int, int]
) -> None:
    layout, detector = FrameLayout(width=320, height=240), Finding()
    (shot,) = moving_camera(portrait(HOPPER), (320, 240), 1)
    frame = Frame(to_planes(shot.picture, layout), layout, ColorConversion(layout))
    tracker = FaceTracker(
        detector, networks().mesh, rate=25, wanted=lambda frame, points: True, single=single
    )
    for number, searched in searches.items():
        detector.pictures = 0
        assert len(tracker.track(frame, number).faces) == 1
        assert detector.pictures == searched


@pytest.mark.media
@pytest.mark.parametrize("turns", [1, 2, 3])
@pytest.mark.parametrize("path", [ASTRONAUT, HOPPER], ids=lambda path: path.stem)
def test_a_photo_that_lies_or_stands_on_its_head_has_the_face_of_the_upright_one(
    path: Path, turns: int
) -> None:
    turned = np.ascontiguousarray(np.rot90(photo(path), turns))
    source = prepare_source(turned, networks().detector, networks().mesh)
    recognizer, upright = networks().recognizer, portrait(path)
    found, wanted = (recognizer.embed(face.picture, face.points) for face in (source, upright))
    assert distance(found, wanted) < 0.15
