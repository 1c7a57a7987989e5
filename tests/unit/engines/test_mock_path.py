"""The face takes the same smooth way over a video each time, and never leaves it."""

from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import pytest

from facecli.core.media import VideoInfo
from facecli.core.placement import Placement
from facecli.engines.mock_path import face_placement

FASTEST = 1.1  # widths of the room that is left to the face, in a second


def place(folder: Path, *, width: int = 320, height: int = 180, face: str = "a", seed: int = 0) -> Placement:
    files = {"face": folder / face, "video": folder / "video"}
    for path in files.values():
        path.write_text(path.name)
    info = VideoInfo(width=width, height=height, frames=1, duration=1, rate=Fraction(1), codec="")
    return face_placement(info, **files, seed=seed)


def test_it_hangs_on_face_video_and_seed(tmp_path: Path) -> None:
    assert place(tmp_path) == place(tmp_path)
    others = [place(tmp_path, face="b"), place(tmp_path, seed=1), place(tmp_path, seed=2)]
    assert len({place(tmp_path), *others}) == 4


@pytest.mark.parametrize(
    ("width", "height", "side"), [(320, 180, 60), (1080, 1920, 360), (3, 2, 2), (1, 1, 1), (321, 181, 60)]
)
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_it_is_a_third_of_the_short_side_and_stays_within(
    tmp_path: Path, width: int, height: int, side: int, seed: int
) -> None:
    path = place(tmp_path, width=width, height=height, seed=seed)
    boxes = [path.at(frame / 25) for frame in range(1000)]
    assert {(box.width, box.height) for box in boxes} == {(side, side)}
    assert all(0 <= box.x <= width - side and 0 <= box.y <= height - side for box in boxes)


def test_it_is_smooth_and_moves(tmp_path: Path) -> None:
    boxes = [place(tmp_path).at(frame / 25) for frame in range(1000)]
    steps = [abs(later.x - earlier.x) for earlier, later in pairwise(boxes)]
    assert max(steps) <= FASTEST * (320 - 60) / 25
    assert max(box.x for box in boxes) - min(box.x for box in boxes) > 80
