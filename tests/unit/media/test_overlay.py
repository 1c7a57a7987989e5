"""Overlays: the face is on every frame at its placement, and a failure leaves no file."""

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from PIL import Image

from facecli.core.errors import Cancelled, MediaRefused
from facecli.core.video.media import OverlayJob, VideoPlan
from facecli.media.ffmpeg import FfmpegMedia
from tests.unit.media.conftest import PLACEMENT

Ffmpeg = Callable[..., bytes]
Clip = Callable[..., Path]
Frames = Callable[[Path], list[Image.Image]]
Overlay = Callable[..., Path]
Times = Callable[[Path], list[Fraction]]


def is_magenta(pixel: object) -> bool:
    assert isinstance(pixel, tuple)
    return bool(pixel[0] > 220 and pixel[1] < 40 and pixel[2] > 220)


def check_face(before: Image.Image, frame: Image.Image, seconds: float) -> None:
    """Check that the face is at its placement, and that nothing else has changed."""
    box = PLACEMENT.at(seconds)
    right, bottom = box.x + box.width, box.y + box.height
    for x, y in [(box.x + 4, box.y + 4), (box.x + 30, box.y + 30), (right - 5, bottom - 5)]:
        assert is_magenta(frame.getpixel((x, y))), f"no face at {x}, {y} after {seconds} s"
    for x, y in [(box.x - 8, box.y + 30), (right + 8, box.y + 30), (box.x + 30, bottom + 8)]:
        if 0 <= x < frame.width and 0 <= y < frame.height:
            assert frame.getpixel((x, y)) == pytest.approx(before.getpixel((x, y)), abs=48), f"{x}, {y}"


@pytest.mark.parametrize(("segment_megapixels", "segments"), [(1500, 1), (3, 3)])
def test_the_face_is_at_its_placement_on_every_frame_of_every_segment(
    clip: Clip, frames: Frames, overlay: Overlay, segment_megapixels: int, segments: int
) -> None:
    plain = clip("plain.mp4", "-g", "5")
    before = frames(plain)
    after = frames(overlay(plain, segment_megapixels=segment_megapixels, segments=segments))
    assert len(before) == len(after) == 25
    for index in range(25):
        check_face(before[index], after[index], index / 25)


def test_a_size_that_changes_midway_is_scaled_to_the_first(
    clip: Clip,
    ffmpeg: Ffmpeg,
    media: FfmpegMedia,
    frames: Frames,
    times: Times,
    overlay: Overlay,
    tmp_path: Path,
) -> None:
    joined, video = tmp_path / "joined.ts", tmp_path / "joined.mkv"
    parts = [clip("part.ts", "-an"), clip("part.ts", "-an", size="640x480")]
    joined.write_bytes(b"".join(part.read_bytes() for part in parts))
    ffmpeg("-i", joined, "-c", "copy", video)
    output = overlay(video)
    after, plan = media.probe_video(output), media.plan(video)
    assert (after.width, after.height) == (320, 180)
    # The decoder loses the last frame before the change.
    assert after.frames == media.count_decodable(video, plan.segments[0], plan.info) > 25
    for frame, time in zip(frames(output), times(output), strict=True):
        box = PLACEMENT.at(float(time))
        assert is_magenta(frame.getpixel((box.x + 30, box.y + 30)))


def write_overlay(
    media: FfmpegMedia,
    plan: VideoPlan,
    *,
    video: Path,
    face: Path,
    output: Path,
    progress: Callable[[int], None] = lambda frames: None,
    stopped: Callable[[], bool] = lambda: False,
) -> None:
    job = OverlayJob(
        video=video,
        segment=plan.segments[0],
        info=plan.info,
        picture=face,
        placement=PLACEMENT,
        output=output,
    )
    media.overlay(job, progress=progress, stopped=stopped)


def test_progress_rises_to_the_number_of_frames(
    plain: Path, face: Path, media: FfmpegMedia, tmp_path: Path
) -> None:
    seen: list[int] = []
    plan = media.plan(plain)
    write_overlay(media, plan, video=plain, face=face, output=tmp_path / "out.mp4", progress=seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == 25


def test_cancel_leaves_no_process_and_no_output(
    face: Path, media: FfmpegMedia, tmp_path: Path, clip: Clip
) -> None:
    long = clip("long.mp4", "-vf", "tpad=stop_mode=clone:stop_duration=60", "-t", "60", "-an")
    output, seen, plan = tmp_path / "out.mp4", list[int](), media.plan(long)
    with pytest.raises(Cancelled):
        write_overlay(
            media,
            plan,
            video=long,
            face=face,
            output=output,
            progress=seen.append,
            stopped=lambda: any(seen),
        )
    assert 0 < seen[-1] < 1500
    assert not output.exists()
    assert not [line for line in command_lines() if str(output) in line]


def command_lines() -> list[str]:
    """Return the command line of every process on this machine."""
    lines = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            lines.append((process / "cmdline").read_text(errors="replace"))
        except OSError:
            continue  # it has ended in the meantime
    return lines


def test_an_undecodable_video_is_refused_and_leaves_no_output(
    media: FfmpegMedia, face: Path, plain: Path, tmp_path: Path
) -> None:
    data = plain.read_bytes()
    broken, output = tmp_path / "broken.mp4", tmp_path / "out.mp4"
    broken.write_bytes(data[: len(data) * 6 // 10] + bytes(len(data) * 4 // 10))
    with pytest.raises(MediaRefused, match="cannot be converted"):
        write_overlay(media, media.plan(plain), video=broken, face=face, output=output)
    assert not output.exists()


def test_a_segment_with_more_frames_than_planned_is_refused(
    media: FfmpegMedia, face: Path, plain: Path, tmp_path: Path
) -> None:
    plan, output = media.plan(plain), tmp_path / "out.mp4"
    short = replace(
        plan, segments=(replace(plan.segments[0], frames=24),), info=replace(plan.info, frames=24)
    )
    with pytest.raises(MediaRefused, match="more than 24"):
        write_overlay(media, short, video=plain, face=face, output=output)
    assert not output.exists()


def test_a_wrong_key_frame_time_costs_no_frame(clip: Clip, face: Path, binary: Path, tmp_path: Path) -> None:
    media, video = FfmpegMedia(wanted=str(binary), segment_megapixels=3), clip("plain.mp4", "-g", "5")
    plan, output, seen = media.plan(video), tmp_path / "out.mp4", list[int]()
    late = replace(plan.segments[1], key=plan.segments[1].start + Fraction(1, 5))
    write_overlay(
        media, replace(plan, segments=(late,)), video=video, face=face, output=output, progress=seen.append
    )
    assert media.count_frames(output) == late.frames == seen[-1]
