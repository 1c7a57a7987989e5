"""Failures while frames are rewritten: each is the error that it is for an overlay, and leaves no file."""

import tracemalloc
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from facecli.core.errors import Cancelled, DiskFull, FacecliError, MediaRefused, ProgramKilled
from facecli.core.video.frames import FrameFilter, FrameLayout
from facecli.core.video.media import FramesJob, VideoPlan, never
from facecli.media.ffmpeg import FfmpegMedia
from tests.unit.media.frames.conftest import Recorder, Variant
from tests.unit.media.test_overlay import command_lines

Clip = Callable[..., Path]

DIES_MIDWAY = "head -c 100000 >/dev/null; kill -9 $$"
DISK_FULL = "head -c 100000 >/dev/null; echo '[error] No space left on device' >&2; exit 1"


class Unchanged:
    def push(self, planes: bytearray, *, own: bool) -> Iterable[bytearray]:
        return [planes] if own else []

    def finish(self) -> Iterable[bytearray]:
        return []


def unchanged(layout: FrameLayout) -> AbstractContextManager[FrameFilter]:
    return nullcontext(Unchanged())


def rewrite(
    media: FfmpegMedia,
    video: Path,
    output: Path,
    *,
    plan: VideoPlan | None = None,
    open_filter: Callable[[FrameLayout], AbstractContextManager[FrameFilter]] = unchanged,
    progress: Callable[[int], None] = lambda frames: None,
    stopped: Callable[[], bool] = never,
) -> None:
    plan = plan or media.plan(video)
    job = FramesJob(video=video, segment=plan.segments[-1], info=plan.info, output=output)
    media.rewrite_frames(job, open_filter=open_filter, progress=progress, stopped=stopped)


@pytest.fixture(scope="module")
def plan(media: FfmpegMedia, plain: Path) -> VideoPlan:
    return media.plan(plain)


@pytest.mark.parametrize(
    ("side", "lines", "error"),
    [
        ("encoding", DIES_MIDWAY, ProgramKilled),
        ("encoding", DISK_FULL, DiskFull),
        ("encoding", "head -c 100000 >/dev/null; echo '[error] no encoder' >&2; exit 1", MediaRefused),
        ("decoding", "kill -9 $$", ProgramKilled),
        ("decoding", "echo '[error] odd' >&2; exit 1", MediaRefused),
        ("decoding", "exit 0", MediaRefused),
    ],
)
def test_an_ffmpeg_that_ends_on_either_side_fails_the_segment(
    plain: Path,
    plan: VideoPlan,
    variant: Variant,
    tmp_path: Path,
    side: str,
    lines: str,
    error: type[Exception],
) -> None:
    output = tmp_path / "out.mp4"
    with pytest.raises(error):
        rewrite(FfmpegMedia(wanted=str(variant(**{side: lines}))), plain, output, plan=plan)
    assert not output.exists()


def test_an_encoder_that_ends_stops_the_decoder_at_once(
    plain: Path, plan: VideoPlan, variant: Variant, recorder: Recorder, tmp_path: Path
) -> None:
    with pytest.raises(DiskFull):
        rewrite(
            FfmpegMedia(wanted=str(variant(encoding=DISK_FULL))),
            plain,
            tmp_path / "out.mp4",
            plan=plan,
            open_filter=recorder.open,
        )
    assert len(recorder.frames) < 25  # those that a pipe holds, not all


def test_cancel_leaves_no_process_and_no_output(media: FfmpegMedia, clip: Clip, tmp_path: Path) -> None:
    long = clip("long.mp4", "-vf", "tpad=stop_mode=clone:stop_duration=20", "-t", "20", "-an")
    output, seen = tmp_path / "out.mp4", list[int]()
    with pytest.raises(Cancelled):
        rewrite(media, long, output, progress=seen.append, stopped=lambda: any(seen))
    assert 0 < seen[-1] < 500
    assert not output.exists()
    assert not [line for line in command_lines() if str(output) in line or str(long) in line]


def test_an_undecodable_video_is_refused(
    media: FfmpegMedia, plain: Path, plan: VideoPlan, tmp_path: Path
) -> None:
    data = plain.read_bytes()
    broken, output = tmp_path / "broken.mp4", tmp_path / "out.mp4"
    broken.write_bytes(data[: len(data) * 6 // 10] + bytes(len(data) * 4 // 10))
    with pytest.raises(MediaRefused, match="cannot be converted"):
        rewrite(media, broken, output, plan=plan)
    assert not output.exists()


def test_a_segment_with_more_frames_than_planned_is_refused(
    media: FfmpegMedia, plain: Path, plan: VideoPlan, tmp_path: Path
) -> None:
    segment = replace(plan.segments[0], frames=24)
    short = replace(plan, segments=(segment,), info=replace(plan.info, frames=24))
    with pytest.raises(MediaRefused, match="more than 24"):
        rewrite(media, plain, tmp_path / "out.mp4", plan=short)


def test_a_wrong_key_frame_time_costs_no_frame(
    media_of: Callable[[int], FfmpegMedia], clip: Clip, recorder: Recorder, tmp_path: Path
) -> None:
    media, output = media_of(3), tmp_path / "out.mp4"
    video = clip("plain.mp4", "-g", "5")
    plan, seen = media.plan(video), list[int]()
    segment = plan.segments[-1]
    assert segment.wide
    late = replace(segment, wide=replace(segment.wide, key=segment.wide.start + Fraction(1, 5)))
    late_plan = replace(plan, segments=(late,))
    rewrite(media, video, output, plan=late_plan, open_filter=recorder.open, progress=seen.append)
    assert media.count_frames(output) == segment.frames == seen[-1]
    assert len(recorder.frames) == segment.wide.frames
    assert recorder.opened == 2


class Doubling(Unchanged):
    def push(self, planes: bytearray, *, own: bool) -> Iterator[bytearray]:
        yield planes
        yield planes


class Cutting(Unchanged):
    def push(self, planes: bytearray, *, own: bool) -> Iterator[bytearray]:
        yield planes[:-1]


class Losing(Unchanged):
    def push(self, planes: bytearray, *, own: bool) -> Iterator[bytearray]:
        yield from ()


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        (Losing, "did not return 25 frames"),
        (Doubling, "a frame more than it was given"),
        (Cutting, "a frame of 86399 bytes, expected 86400"),
    ],
)
def test_a_filter_that_miscounts_fails_the_segment(
    media: FfmpegMedia, plain: Path, plan: VideoPlan, tmp_path: Path, kind: type[Unchanged], message: str
) -> None:
    output = tmp_path / "out.mp4"
    with pytest.raises(FacecliError, match=message):
        rewrite(media, plain, output, plan=plan, open_filter=lambda layout: nullcontext(kind()))
    assert not (tmp_path / "out.mp4").exists()


def test_memory_holds_a_few_frames(media: FfmpegMedia, clip: Clip, tmp_path: Path) -> None:
    video, frame_bytes = clip("large.mp4", "-an", "-frames:v", "12", size="1280x720"), 1280 * 720 * 3 // 2
    plan = media.plan(video)
    tracemalloc.start()
    rewrite(media, video, tmp_path / "out.mp4", plan=plan)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 * frame_bytes
