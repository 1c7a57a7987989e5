"""Contact sheets: the same frame before and after, and a gap for what cannot be decoded."""

from collections.abc import Callable
from contextlib import nullcontext
from fractions import Fraction
from pathlib import Path

import pytest
from PIL import Image, ImageStat

from facecli.core.video.media import FramesJob, never
from facecli.core.video.plan import VideoPart
from facecli.core.video.sheet import Comparison, Still, of_frames, of_result, raw_still
from facecli.media.ffmpeg import FfmpegMedia
from facecli.media.sheet.canvas import EMPTY, MARGIN, TEXT_HEIGHT, canvas_for

Clip = Callable[..., Path]
Ffmpeg = Callable[..., bytes]
Overlay = Callable[..., Path]

# A grey that rises by two with every frame, so that a frame tells its number.
PICTURE = ("-vf", "geq=lum='20+N*2':cb=128:cr=128", "-g", "8", "-bf", "2")
SIZE = "64x48"


def greys(path: Path, *, rows: int) -> list[list[int]]:
    """The grey in the middle of every cell, row by row; the size of a cell is that of the clip."""
    sheet = Image.open(path)
    canvas = canvas_for(64, 48, [""] * rows)
    assert (sheet.format, sheet.size) == ("JPEG", canvas.size)
    found = []
    for row in range(rows):
        corners = [canvas.place(row, column) for column in (0, 1)]
        middles = [sheet.crop((x + 48, y + 32, x + 60, y + 44)).convert("L") for x, y in corners]
        found.append([round(ImageStat.Stat(middle).mean[0]) for middle in middles])
    return found


@pytest.mark.parametrize("name", ["a.mp4", "a.ts", "a.mkv"])
def test_a_sheet_shows_the_same_frames_of_a_part_before_and_after(
    clip: Clip, media: FfmpegMedia, overlay: Overlay, tmp_path: Path, name: str
) -> None:
    video, sheet = clip(name, *PICTURE, size=SIZE), tmp_path / "sheet.jpg"
    part = VideoPart(start=200_000, end=840_000)
    plan = media.plan(video, part=part)
    result = overlay(video, part=part)
    assert [still.before for still in plan.stills] == [7, 11, 15, 19]
    media.compose_sheet(plan.info, list(of_result(video, result, plan)), sheet, stopped=never)
    expected = [(20 + 2 * still.before - 16) * 255 / 219 for still in plan.stills]
    for grey, both in zip(expected, greys(sheet, rows=4), strict=True):
        assert both == [pytest.approx(grey, abs=2)] * 2
    assert [path.name for path in tmp_path.glob("*.png")] == ["picture.png"]


def test_frames_kept_while_a_segment_is_rewritten_need_not_be_decoded_again(
    clip: Clip, media: FfmpegMedia, tmp_path: Path
) -> None:
    video, sheet, output = clip("a.mp4", *PICTURE, size=SIZE), tmp_path / "sheet.jpg", tmp_path / "out.mp4"
    plan = media.plan(video, part=VideoPart(start=200_000))
    (segment,), stills = plan.segments, [still.before for still in plan.stills]
    raw_still(tmp_path, stills[-1], "after").mkdir()  # as little can be kept there as on a full disk
    job = FramesJob(video=video, segment=segment, info=plan.info, output=output, stills=stills)
    media.rewrite_frames(
        job, open_filter=lambda layout: nullcontext(Darker()), progress=lambda frames: None, stopped=never
    )
    rows = list(of_result(video, output, plan, kept=tmp_path))
    assert [row.before.raw and row.after.raw for row in rows] == [True, True, True, False]
    media.compose_sheet(plan.info, rows, sheet, stopped=never)
    decoded = tmp_path / "decoded.jpg"
    media.compose_sheet(plan.info, list(of_result(video, output, plan)), decoded, stopped=never)
    for kept, again in zip(greys(sheet, rows=4), greys(decoded, rows=4), strict=True):
        assert kept == pytest.approx(again, abs=2)
        assert kept[0] > kept[1] + 5


class Darker:
    """A filter that halves the brightness, and returns each frame when the next one has come."""

    def __init__(self) -> None:
        self._held = list[bytearray]()

    def push(self, planes: bytearray, *, own: bool) -> list[bytearray]:
        done, luma = self._held, 64 * 48
        self._held = [bytearray(value // 2 for value in planes[:luma]) + planes[luma:]] if own else []
        return done

    def finish(self) -> list[bytearray]:
        return self._held


def test_chosen_times_are_the_frames_that_are_shown_then(clip: Clip, media: FfmpegMedia) -> None:
    video = clip("a.mp4", *PICTURE, size=SIZE)
    plan = media.plan(video, stills=[0, 39_999, 40_000, 520_000, 990_000])
    assert [still.before for still in plan.stills] == [0, 1, 13, 24]
    assert {still.frames for still in plan.stills} == {1}


def test_a_frame_that_cannot_be_decoded_leaves_its_cell_empty(
    clip: Clip, media: FfmpegMedia, tmp_path: Path
) -> None:
    video, broken, sheet = clip("a.mp4", *PICTURE, size=SIZE), tmp_path / "broken.mp4", tmp_path / "sheet.jpg"
    broken.write_bytes(b"no video")
    plan = media.plan(video, stills=[0])
    (row,) = of_frames(video, [video], plan)
    late = Comparison(
        time=Fraction(9), before=row.before, after=Still(video=video, start=Fraction(9), end=Fraction(10))
    )
    media.compose_sheet(plan.info, [row, late], sheet, stopped=never)
    empty = round(sum(c * f for c, f in zip(EMPTY, (0.299, 0.587, 0.114), strict=True)))
    (first, second) = greys(sheet, rows=2)
    assert first[0] == first[1] == second[0] != pytest.approx(empty, abs=20)
    assert second[1] == pytest.approx(empty, abs=3)
    refused = [
        Comparison(
            time=Fraction(0), before=Still(video=broken, start=Fraction(0), end=Fraction(1)), after=row.after
        )
    ]
    media.compose_sheet(plan.info, refused, sheet, stopped=never)
    assert greys(sheet, rows=1) == [[pytest.approx(empty, abs=3), first[1]]]


def test_cells_have_the_shape_of_the_frames_within_480_pixels() -> None:
    assert [
        (c.cell_width, c.cell_height) for c in (canvas_for(*s, ["0"]) for s in ((1920, 1080), (9, 4000)))
    ] == [
        (480, 270),
        (16, 480),
    ]
    assert canvas_for(64, 48, ["0", "1"]).size == (2 * 64 + 3 * MARGIN, 2 * (TEXT_HEIGHT + 48) + 2 * MARGIN)
