"""The visible label as pixels: its place on a frame, and its gray levels.

It is an opaque dark plate with a light border and light letters in the upper left corner, so it is legible on
any background. The letters are at least 5 % of the short side high, and at least 12 pixels where they fit.
"""

from dataclasses import dataclass
from functools import lru_cache
from math import ceil
from pathlib import Path

from facecli.core.labels.labels import LabelText
from facecli.core.video.frames import FrameLayout
from facecli.core.video.placement import Box

LETTERS = 0.055  # height of the letters, as a share of the short side; the least is 0.05
MIN_LETTERS = 12  # pixels
MARGIN = 0.02  # of the short side
MAX_WIDTH, MAX_HEIGHT = 0.9, 0.5  # shares of the frame, where the least height in pixels makes it larger
DARK, LIGHT = 16, 235  # luma

# Width, height, and height of the letters of the pictures.
_PICTURES = {LabelText.ENGLISH: (1201, 239, 139), LabelText.CHINESE: (660, 299, 175)}
_FOLDER = Path(__file__).parent
_NEUTRAL = 128  # blue and red difference of gray


@dataclass(frozen=True, slots=True, kw_only=True)
class Plate:
    """The label for frames of one size: `rows` of luma, one byte a pixel."""

    box: Box
    rows: tuple[bytes, ...]


@lru_cache(maxsize=8)
def plate_for(text: LabelText, width: int, height: int) -> Plate:
    """Return the label on frames of this size."""
    from PIL import Image

    box = label_box(text, width, height)
    with Image.open(_FOLDER / f"{text}.png") as picture:
        scaled = picture.convert("L").resize((box.width, box.height), Image.Resampling.BOX)
    levels = scaled.tobytes()
    rows = (levels[at : at + box.width] for at in range(0, len(levels), box.width))
    return Plate(box=box, rows=tuple(rows))


def label_box(text: LabelText, width: int, height: int) -> Box:
    """Return the place of the plate, at even numbers where the frame has room: colours have half the size."""
    whole_width, whole_height, letters = _PICTURES[text]
    short = min(width, height)
    scale = max(LETTERS * short, MIN_LETTERS) / letters
    scale = min(scale, MAX_WIDTH * width / whole_width, MAX_HEIGHT * height / whole_height)
    scale = max(scale, LETTERS * short / letters)
    wide, high = (_even(side * scale) for side in (whole_width, whole_height))
    wide, high = min(wide, width), min(high, height)
    margin = _even(MARGIN * short)
    x, y = max(0, min(margin, (width - wide) // 2 * 2)), max(0, min(margin, (height - high) // 2 * 2))
    return Box(x=x, y=y, width=wide, height=high)


def write_picture(plate: Plate, path: Path) -> None:
    """Write the label as a gray PNG."""
    from PIL import Image

    Image.frombytes("L", (plate.box.width, plate.box.height), b"".join(plate.rows)).save(path, format="PNG")


class Stamp:
    """Puts a label onto the planes of frames."""

    def __init__(self, plate: Plate, layout: FrameLayout) -> None:
        depth = 1 if layout.bits == 8 else 2
        box = plate.box
        self._patches = [
            (((box.y + row) * layout.width + box.x) * depth, _samples(levels, layout.bits))
            for row, levels in enumerate(plate.rows)
        ]
        columns, rows = layout.color_size
        left, top = box.x // layout.column_step, box.y // layout.row_step
        right = min(columns, ceil((box.x + box.width) / layout.column_step))
        bottom = min(rows, ceil((box.y + box.height) / layout.row_step))
        gray = _samples(bytes([_NEUTRAL]) * (right - left), layout.bits)
        first = layout.width * layout.height
        for plane in (first, first + columns * rows):
            self._patches += [((plane + row * columns + left) * depth, gray) for row in range(top, bottom)]

    def put_on(self, planes: bytearray) -> None:
        for at, samples in self._patches:
            planes[at : at + len(samples)] = samples


def _even(length: float) -> int:
    return max(2, ceil(length / 2) * 2)


def _samples(levels: bytes, bits: int) -> bytes:
    """Return samples of a plane: one byte each, or two for 10 bits, the low one first."""
    if bits == 8:
        return levels
    return b"".join((level << 2).to_bytes(2, "little") for level in levels)
