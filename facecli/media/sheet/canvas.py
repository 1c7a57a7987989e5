"""The canvas of a contact sheet: the size and the place of every frame, and the words beside them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

MAX_SIDE = 480  # pixels of a frame
MIN_SIDE = 16
MARGIN = 12
TEXT_HEIGHT = 24
TEXT_SIZE = 16
BACKGROUND, EMPTY, INK = (24, 24, 28), (96, 96, 104), (235, 235, 240)


@dataclass(frozen=True, slots=True, kw_only=True)
class Canvas:
    """Two columns of cells, before and after; every row has its time above it."""

    cell_width: int
    cell_height: int
    times: Sequence[str]

    @property
    def size(self) -> tuple[int, int]:
        rows = len(self.times)
        return 2 * self.cell_width + 3 * MARGIN, rows * (TEXT_HEIGHT + self.cell_height) + 2 * MARGIN

    def place(self, row: int, column: int) -> tuple[int, int]:
        """Return the upper left corner of a cell."""
        x = MARGIN + column * (self.cell_width + MARGIN)
        return x, MARGIN + row * (TEXT_HEIGHT + self.cell_height) + TEXT_HEIGHT

    def draw(self, output: Path) -> None:
        """Write a PNG with empty cells. No user's text is drawn."""
        from PIL import Image, ImageDraw, ImageFont

        picture = Image.new("RGB", self.size, BACKGROUND)
        pen, font = ImageDraw.Draw(picture), ImageFont.load_default(TEXT_SIZE)
        for row, time in enumerate(self.times):
            for column, name in enumerate(("before", "after")):
                x, y = self.place(row, column)
                pen.text((x, y - TEXT_HEIGHT), f"{time}  {name}", fill=INK, font=font)
                pen.rectangle((x, y, x + self.cell_width - 1, y + self.cell_height - 1), fill=EMPTY)
        picture.save(output, format="PNG")


def canvas_for(width: int, height: int, times: Sequence[str]) -> Canvas:
    """Return a canvas with cells in the shape of a video's frames."""
    scale = min(1.0, MAX_SIDE / max(width, height))
    cell_width, cell_height = (max(MIN_SIDE, round(side * scale / 2) * 2) for side in (width, height))
    return Canvas(cell_width=cell_width, cell_height=cell_height, times=times)
