"""The mock engine does real work, as slow and as broken as its options say."""

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from PIL import Image

from facecli.core.engines import Swap
from facecli.core.errors import Cancelled, FacecliError, InvalidInput
from facecli.engines.mock import MockEngine
from facecli.engines.mock_path import face_placement
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


def part(swap: Swap, *, before: int, frames: int) -> Swap:
    """A segment of the clip alone."""
    start, end = Fraction(before, 25), Fraction(before + frames, 25)
    segment = replace(swap.segment, before=before, frames=frames, start=start, end=end)
    return replace(swap, segment=segment)


def test_the_result_is_the_video_with_the_face_on_its_path(media: FfmpegMedia, swap: Swap) -> None:
    seen = work(MockEngine(media), swap)
    assert seen == sorted(set(seen))
    assert (seen[0], seen[-1]) == (0, 25)
    after = media.probe_video(swap.output)
    assert (after.frames, after.width, after.height, after.sound) == (25, 320, 180, None)
    check_face(media, swap, frame=12, of=swap.output, at=12)


def test_a_segment_alone_has_the_face_where_the_whole_has_it(media: FfmpegMedia, swap: Swap) -> None:
    segment = part(swap, before=10, frames=8)
    assert work(MockEngine(media), segment)[-1] == 8
    assert media.probe_video(swap.output).frames == 8
    check_face(media, swap, frame=2, of=swap.output, at=12)


def check_face(media: FfmpegMedia, swap: Swap, *, frame: int, of: Path, at: int) -> None:
    """A frame of a file shows the face at the place that it has at a frame of the video."""
    still, face = of.with_name("still.png"), of.with_name("fitted.png")
    command = [str(find_ffmpeg()), "-v", "error", "-i", str(of), "-vf", f"select=eq(n\\,{frame})"]
    command += ["-frames:v", "1", str(still)]
    run(command, bounds=Bounds(seconds=30), reads=[of], writes=[still.parent])
    box = face_placement(swap.info, face=swap.face, video=swap.video, seed=0).at(at / 25)
    media.fit_picture(swap.face, face, width=box.width, height=box.height)
    with Image.open(still) as shown, Image.open(face) as wanted:
        for x, y in [(5, 5), (30, 40), (55, 5)]:
            assert shown.convert("RGB").getpixel((box.x + x, box.y + y)) == pytest.approx(
                wanted.getpixel((x, y)), abs=48
            )


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


def test_delay_and_failure_are_shares_of_the_whole_video(media: FfmpegMedia, swap: Swap) -> None:
    naps, seen = Naps(), list[int]()
    engine, segment = MockEngine(media, sleep=naps), part(swap, before=10, frames=8)
    work(engine, segment, delay="2.5", fail_at="0.9")
    assert sum(naps.taken) == pytest.approx(0.8)
    with pytest.raises(FacecliError, match="failed at frame 13 of 25"):
        engine.swap(
            replace(segment, options={"fail_at": "0.5", "delay": "2.5"}),
            progress=seen.append,
            stopped=lambda: False,
        )
    assert all(done < 3 for done in seen)


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


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"speed": "9"}, "no option 'speed'; it knows delay, fail_at and seed"),
        ({"delay": "soon"}, "delay is a number from 0 to 600, not 'soon'"),
        ({"delay": "-1"}, "delay is a number"),
        ({"delay": "inf"}, "delay is a number"),
        ({"delay": "nan"}, "delay is a number"),
        ({"fail_at": "1.5"}, "fail_at is a number from 0 to 1, not '1.5'"),
        ({"fail_at": ""}, "fail_at is a number"),
        ({"seed": "1.5"}, "seed is a whole number from 0 to 4294967295, not '1.5'"),
        ({"seed": "-1"}, "seed is a whole number"),
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


@pytest.mark.parametrize("options", [{}, {"delay": "0"}, {"fail_at": "0.25", "delay": "1.5"}, {"seed": "7"}])
def test_right_options_are_taken(media: FfmpegMedia, options: Mapping[str, str]) -> None:
    MockEngine(media).check(options)
