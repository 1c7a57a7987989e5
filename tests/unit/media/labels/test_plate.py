"""The visible label: its size, place and pixels on frames of any size, depth and sampling."""

import pytest

from facecli.core.labels.labels import LabelText
from facecli.core.video.frames import FrameLayout
from facecli.media.labels.plate import DARK, LIGHT, Stamp, label_box, plate_for

SIZES = [
    *((1920, 1080), (1080, 1920), (1280, 720), (720, 1280), (640, 480)),
    *((320, 180), (181, 323), (64, 64), (16, 16)),
]


@pytest.mark.parametrize("text", LabelText)
@pytest.mark.parametrize(("width", "height"), SIZES)
def test_letters_are_a_twentieth_of_the_short_side_and_inside_the_frame(
    text: LabelText, width: int, height: int
) -> None:
    plate = plate_for(text, width, height)
    box = plate.box
    assert 0 <= box.x <= box.x + box.width <= width
    assert 0 <= box.y <= box.y + box.height <= height
    assert [len(row) for row in plate.rows] == [box.width] * box.height
    if min(width, height) >= 64:
        border = max(2, box.height // 8)
        inside = [max(row[border:-border]) for row in plate.rows[border:-border]]
        assert sum(level > (DARK + LIGHT) // 2 for level in inside) >= 0.05 * min(width, height)
        assert min(map(min, plate.rows)) < DARK + 20


@pytest.mark.parametrize("size", [(1, 1), (2, 3), (7, 5), (100_000, 2)])
def test_any_size_has_a_place_for_the_label(size: tuple[int, int]) -> None:
    box = label_box(LabelText.ENGLISH, *size)
    assert box.x + box.width <= size[0]
    assert box.y + box.height <= size[1]


@pytest.mark.parametrize("bits", [8, 10])
@pytest.mark.parametrize("steps", [(2, 2), (2, 1), (1, 1)])
@pytest.mark.parametrize("size", [(320, 180), (181, 323)])
def test_only_the_pixels_of_the_label_change(
    bits: int, steps: tuple[int, int], size: tuple[int, int]
) -> None:
    layout = FrameLayout(width=size[0], height=size[1], bits=bits, column_step=steps[0], row_step=steps[1])
    depth = 1 if bits == 8 else 2
    planes = bytearray(b"\x01" * layout.frame_bytes)
    plate = plate_for(LabelText.CHINESE, *size)
    Stamp(plate, layout).put_on(planes)
    assert len(planes) == layout.frame_bytes

    def level(at: int) -> int:
        return int.from_bytes(planes[at * depth : at * depth + depth], "little") >> (bits - 8)

    box = plate.box
    width = layout.width
    luma = [[level(row * width + column) for column in range(width)] for row in range(layout.height)]
    untouched = int.from_bytes(b"\x01" * depth, "little") >> (bits - 8)
    for row, levels in enumerate(luma):
        inside = box.y <= row < box.y + box.height
        wanted = list(plate.rows[row - box.y]) if inside else []
        assert levels[box.x : box.x + box.width] == (wanted or [untouched] * box.width)
        assert set(levels[: box.x] + levels[box.x + box.width :]) <= {untouched}
    columns, rows = layout.color_size
    first = layout.width * layout.height
    blue = [level(first + at) for at in range(columns * rows)]
    gray = sum(value == 128 for value in blue)
    assert gray == len(range(box.x // steps[0], -(-(box.x + box.width) // steps[0]))) * len(
        range(box.y // steps[1], -(-(box.y + box.height) // steps[1]))
    )
