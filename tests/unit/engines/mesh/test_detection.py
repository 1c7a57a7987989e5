"""Detection of faces in frames of odd shapes: never more work than a bounded number of tiles."""

import pytest

from facecli.core.video.frames import FrameLayout
from facecli.engines.mesh.arrays import Image
from facecli.engines.mesh.detection import find_faces
from facecli.engines.mesh.networks import Detection, FaceDetector
from facecli.engines.mesh.planes import ColorConversion, Frame


class Counting(FaceDetector):
    def __init__(self) -> None:
        self.pictures = 0

    def detect(self, picture: Image, *, threshold: float = 0.5) -> list[Detection]:
        self.pictures += 1
        return []


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
