"""The mock engine does real work, as slow and as broken as its options say."""

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from PIL import Image

from facecli.core.engines import Swap
from facecli.core.errors import Cancelled, FacecliError, InvalidInput
from facecli.core.media import Box, VideoInfo
from facecli.engines.mock import MockEngine, face_box
from facecli.media.ffmpeg import FfmpegMedia
from facecli.media.find import find_ffmpeg
from facecli.media.run import Bounds, run


class Naps:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.taken: list[float] = []

    def __call__(self, seconds: float) -> None:
        self.taken.append(seconds)


def work(engine: MockEngine, swap: Swap, **options: str) -> list[int]:
    """Run it to the end; the progress it told."""
    seen: list[int] = []
    engine.swap(replace(swap, options=options), progress=seen.append, stopped=lambda: False)
    return seen


def left(swap: Swap) -> list[Path]:
    return list(swap.output.parent.iterdir())


def test_the_result_is_the_video_with_the_face_in_its_middle(media: FfmpegMedia, swap: Swap) -> None:
    seen = work(MockEngine(media), swap)
    assert seen == sorted(set(seen))
    assert (seen[0], seen[-1]) == (0, 25)
    assert left(swap) == [swap.output]
    after = media.probe_video(swap.output)
    assert (after.frames, after.width, after.height, after.sound) == (25, 320, 180, "aac")

    still, face = swap.output.with_name("still.png"), swap.output.with_name("fitted.png")
    run(
        [
            str(find_ffmpeg()),
            "-v",
            "error",
            "-ss",
            "0.5",
            "-i",
            str(swap.output),
            "-frames:v",
            "1",
            str(still),
        ],
        bounds=Bounds(seconds=30),
    )
    box = face_box(swap.info)
    media.fit_picture(swap.face, face, width=box.width, height=box.height)
    with Image.open(still) as shown, Image.open(face) as wanted:
        for x, y in [(5, 5), (30, 40), (55, 5)]:
            assert shown.convert("RGB").getpixel((box.x + x, box.y + y)) == pytest.approx(
                wanted.getpixel((x, y)), abs=48
            )


@pytest.mark.parametrize(
    ("width", "height", "box"),
    [
        (320, 180, Box(x=130, y=60, width=60, height=60)),
        (1080, 1920, Box(x=360, y=780, width=360, height=360)),
        (3, 2, Box(x=0, y=0, width=2, height=2)),
        (1, 1, Box(x=0, y=0, width=1, height=1)),
    ],
)
def test_the_face_is_a_third_of_the_short_side(width: int, height: int, box: Box) -> None:
    info = VideoInfo(width=width, height=height, frames=1, duration=1, rate=Fraction(1), codec="", sound=None)
    assert face_box(info) == box


def test_a_delay_is_spread_over_the_work(media: FfmpegMedia, swap: Swap) -> None:
    naps = Naps()
    seen = work(MockEngine(media, sleep=naps), swap, delay="2.5")
    assert sum(naps.taken) == pytest.approx(2.5)
    assert max(naps.taken) <= 0.1
    assert seen == list(range(26))


@pytest.mark.parametrize(("fail_at", "frame"), [("0", 0), ("0.5", 13), ("1", 25)])
def test_it_fails_where_it_is_told_to(media: FfmpegMedia, swap: Swap, fail_at: str, frame: int) -> None:
    seen: list[int] = []
    engine = MockEngine(media, sleep=Naps())
    options = {"fail_at": fail_at, "delay": "10"}
    with pytest.raises(FacecliError, match=f"failed at frame {frame} of 25"):
        engine.swap(replace(swap, options=options), progress=seen.append, stopped=lambda: False)
    assert all(done < frame for done in seen)
    assert left(swap) == []


def test_a_stop_is_obeyed_between_two_naps(media: FfmpegMedia, swap: Swap) -> None:
    naps = Naps()
    engine = MockEngine(media, sleep=naps)
    with pytest.raises(Cancelled):
        engine.swap(
            replace(swap, options={"delay": "600"}),
            progress=lambda frames: None,
            stopped=lambda: len(naps.taken) == 3,
        )
    assert len(naps.taken) == 3
    assert left(swap) == []


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"speed": "9"}, "no option 'speed'; it knows delay and fail_at"),
        ({"delay": "soon"}, "delay is a number from 0 to 600, not 'soon'"),
        ({"delay": "-1"}, "delay is a number"),
        ({"delay": "inf"}, "delay is a number"),
        ({"delay": "nan"}, "delay is a number"),
        ({"fail_at": "1.5"}, "fail_at is a number from 0 to 1, not '1.5'"),
        ({"fail_at": ""}, "fail_at is a number"),
    ],
)
def test_wrong_options_are_refused(
    media: FfmpegMedia, swap: Swap, options: Mapping[str, str], says: str
) -> None:
    engine = MockEngine(media)
    with pytest.raises(InvalidInput, match=says):
        engine.check(options)
    with pytest.raises(InvalidInput, match=says):
        engine.swap(replace(swap, options=options), progress=lambda frames: None, stopped=lambda: False)


@pytest.mark.parametrize("options", [{}, {"delay": "0"}, {"fail_at": "0.25", "delay": "1.5"}])
def test_right_options_are_taken(media: FfmpegMedia, options: Mapping[str, str]) -> None:
    MockEngine(media).check(options)
