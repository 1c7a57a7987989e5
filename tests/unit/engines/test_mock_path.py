"""The path of the face: reproducible, smooth, and always within the video."""

from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import pytest

from facecli.core.video.media import VideoInfo
from facecli.core.video.placement import Placement
from facecli.engines.mock_path import face_placement

MAX_SPEED = 1.1  # widths of the free room per second


def make_placement(
    folder: Path, *, width: int = 320, height: int = 180, face: str = "a", seed: int = 0
) -> Placement:
    files = {"face": folder / face, "video": folder / "video"}
    for path in files.values():
        path.write_text(path.name)
    info = VideoInfo(width=width, height=height, frames=1, duration=1, rate=Fraction(1), codec="")
    return face_placement(info, **files, seed=seed)


def test_the_path_depends_on_face_and_seed(tmp_path: Path) -> None:
    assert make_placement(tmp_path) == make_placement(tmp_path)
    others = [
        make_placement(tmp_path, face="b"),
        make_placement(tmp_path, seed=1),
        make_placement(tmp_path, seed=2),
    ]
    assert len({make_placement(tmp_path), *others}) == 4


@pytest.mark.parametrize(
    ("width", "height", "side"), [(320, 180, 60), (1080, 1920, 360), (3, 2, 2), (1, 1, 1), (321, 181, 60)]
)
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_face_is_a_third_of_the_short_side_and_stays_within(
    tmp_path: Path, width: int, height: int, side: int, seed: int
) -> None:
    path = make_placement(tmp_path, width=width, height=height, seed=seed)
    boxes = [path.at(frame / 25) for frame in range(1000)]
    assert {(box.width, box.height) for box in boxes} == {(side, side)}
    assert all(0 <= box.x <= width - side and 0 <= box.y <= height - side for box in boxes)


def test_the_path_is_smooth_and_moves(tmp_path: Path) -> None:
    boxes = [make_placement(tmp_path).at(frame / 25) for frame in range(1000)]
    steps = [abs(later.x - earlier.x) for earlier, later in pairwise(boxes)]
    assert max(steps) <= MAX_SPEED * (320 - 60) / 25
    assert max(box.x for box in boxes) - min(box.x for box in boxes) > 80
