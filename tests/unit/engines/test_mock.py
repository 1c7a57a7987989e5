"""The mock engine: real output, with the delay and the failure that its options request."""

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from PIL import Image

from facecli.core.errors import Cancelled, FacecliError, InvalidInput
from facecli.core.video.engines import SwapJob
from facecli.engines.mock import MockEngine
from facecli.engines.mock_path import face_placement
from facecli.media.ffmpeg import FfmpegMedia
from facecli.media.find import find_ffmpeg
from facecli.media.run import ProcessLimits, run


class FakeSleep:
    """Records sleeps without sleeping."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)


def run_swap(engine: MockEngine, job: SwapJob, **options: str) -> list[int]:
    """Run the job to the end; return the progress reported."""
    reported: list[int] = []
    engine.swap(replace(job, options=options), progress=reported.append, stopped=lambda: False)
    return reported


def segment_job(job: SwapJob, *, before: int, frames: int) -> SwapJob:
    """Return a job for a segment of the clip alone."""
    start, end = Fraction(before, 25), Fraction(before + frames, 25)
    segment = replace(job.segment, before=before, frames=frames, start=start, end=end)
    return replace(job, segment=segment)


def test_the_result_is_the_video_with_the_face_on_its_path(media: FfmpegMedia, job: SwapJob) -> None:
    reported = run_swap(MockEngine(media), job)
    assert reported == sorted(set(reported))
    assert (reported[0], reported[-1]) == (0, 25)
    after = media.probe_video(job.output)
    assert (after.frames, after.width, after.height, after.sound) == (25, 320, 180, None)
    check_face(media, job, frame=12, of=job.output, at=12)


def test_a_segment_has_the_face_where_the_whole_video_has_it(media: FfmpegMedia, job: SwapJob) -> None:
    segment = segment_job(job, before=10, frames=8)
    assert run_swap(MockEngine(media), segment)[-1] == 8
    assert media.probe_video(job.output).frames == 8
    check_face(media, job, frame=2, of=job.output, at=12)


def check_face(media: FfmpegMedia, job: SwapJob, *, frame: int, of: Path, at: int) -> None:
    """Check that a frame of the file shows the face where frame `at` of the video has it."""
    screenshot, face = of.with_name("screenshot.png"), of.with_name("fitted.png")
    command = [str(find_ffmpeg()), "-v", "error", "-i", str(of), "-vf", f"select=eq(n\\,{frame})"]
    command += ["-frames:v", "1", str(screenshot)]
    run(command, limits=ProcessLimits(seconds=30), reads=[of], writes=[screenshot.parent])
    box = face_placement(job.info, face=job.face, video=job.video, seed=0).at(at / 25)
    media.fit_picture(job.face, face, width=box.width, height=box.height)
    with Image.open(screenshot) as shown, Image.open(face) as wanted:
        for x, y in [(5, 5), (30, 40), (55, 5)]:
            assert shown.convert("RGB").getpixel((box.x + x, box.y + y)) == pytest.approx(
                wanted.getpixel((x, y)), abs=48
            )


def test_a_delay_is_spread_over_the_frames(media: FfmpegMedia, job: SwapJob) -> None:
    sleep = FakeSleep()
    reported = run_swap(MockEngine(media, sleep=sleep), job, delay="2.5")
    assert sum(sleep.seconds) == pytest.approx(2.5)
    assert max(sleep.seconds) <= 0.1
    assert reported == list(range(26))


@pytest.mark.parametrize(("fail_at", "frame"), [("0", 0), ("0.5", 13), ("1", 25)])
def test_it_fails_at_the_requested_frame(media: FfmpegMedia, job: SwapJob, fail_at: str, frame: int) -> None:
    reported: list[int] = []
    engine = MockEngine(media, sleep=FakeSleep())
    options = {"fail_at": fail_at, "delay": "10"}
    with pytest.raises(FacecliError, match=f"failed at frame {frame} of 25"):
        engine.swap(replace(job, options=options), progress=reported.append, stopped=lambda: False)
    assert all(done < frame for done in reported)


def test_delay_and_failure_are_shares_of_the_whole_video(media: FfmpegMedia, job: SwapJob) -> None:
    sleep, reported = FakeSleep(), list[int]()
    engine, segment = MockEngine(media, sleep=sleep), segment_job(job, before=10, frames=8)
    run_swap(engine, segment, delay="2.5", fail_at="0.9")
    assert sum(sleep.seconds) == pytest.approx(0.8)
    with pytest.raises(FacecliError, match="failed at frame 13 of 25"):
        engine.swap(
            replace(segment, options={"fail_at": "0.5", "delay": "2.5"}),
            progress=reported.append,
            stopped=lambda: False,
        )
    assert all(done < 3 for done in reported)


def test_a_delay_can_be_cancelled(media: FfmpegMedia, job: SwapJob) -> None:
    sleep = FakeSleep()
    engine = MockEngine(media, sleep=sleep)
    with pytest.raises(Cancelled):
        engine.swap(
            replace(job, options={"delay": "600"}),
            progress=lambda frames: None,
            stopped=lambda: len(sleep.seconds) == 3,
        )
    assert len(sleep.seconds) == 3


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"speed": "9"}, "no option 'speed'; its options are: delay, fail_at, seed"),
        ({"delay": "soon"}, "delay of engine mock cannot be 'soon'; its values are: 0 to 600"),
        ({"delay": "-1"}, "cannot be '-1'"),
        ({"delay": "inf"}, "cannot be 'inf'"),
        ({"delay": "nan"}, "cannot be 'nan'"),
        ({"fail_at": "1.5"}, "fail_at of engine mock cannot be '1.5'; its values are: 0 to 1"),
        ({"fail_at": ""}, "cannot be ''"),
        ({"seed": "1.5"}, "cannot be '1.5'; its values are: whole numbers from 0 to 4294967295"),
        ({"seed": "-1"}, "cannot be '-1'"),
    ],
)
def test_invalid_options_are_refused(
    media: FfmpegMedia, job: SwapJob, options: Mapping[str, str], message: str
) -> None:
    engine = MockEngine(media)
    with pytest.raises(InvalidInput, match=message):
        engine.check(options)
    with pytest.raises(InvalidInput, match=message):
        engine.swap(replace(job, options=options), progress=lambda frames: None, stopped=lambda: False)


@pytest.mark.parametrize("options", [{}, {"delay": "0"}, {"fail_at": "0.25", "delay": "1.5"}, {"seed": "7"}])
def test_valid_options_are_accepted(media: FfmpegMedia, options: Mapping[str, str]) -> None:
    MockEngine(media).check(options)
