"""Segments: processed alone and joined, they equal the whole, each frame once and at its time."""

import os
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import pytest

from facecli.core.errors import MediaRefused
from facecli.core.video.media import VideoInfo
from facecli.core.video.plan import VideoPart, VideoPlan
from facecli.media.ffmpeg import FfmpegMedia
from facecli.media.segments import FrameTimes, cut_segments

Ffmpeg = Callable[..., bytes]
Clip = Callable[..., Path]
Overlay = Callable[..., Path]
Times = Callable[[Path], list[Fraction]]

INFO = VideoInfo(width=500, height=500, frames=100, duration=4, rate=Fraction(25), codec="")
UNEVEN = ("-vf", "select=lt(n\\,12)+not(mod(n\\,6))", "-fps_mode", "vfr")  # slow from the 12th frame on


def planned(
    keys: set[int], *, megapixels: int | None, frames: int = 100
) -> list[tuple[int, int, int | None]]:
    """First frame, number of frames and key frame of each segment of at most 4 × `megapixels` frames."""
    times = FrameTimes()
    for frame in range(frames):
        times.add(frame * 40 + 7, key=frame in keys)
    segments = cut_segments(times, INFO, tick=Fraction(1, 1000), megapixels=megapixels).segments
    assert [segment.index for segment in segments] == list(range(len(segments)))
    for segment in segments:
        assert segment.start == Fraction(segment.before * 40 + 7, 1000)
    return [(s.before, s.frames, None if s.key is None else int((s.key * 1000 - 7) / 40)) for s in segments]


@pytest.mark.parametrize(
    ("keys", "megapixels", "segments"),
    [
        (set(), 25, [(0, 100, None)]),
        ({0}, 25, [(0, 100, None)]),
        ({0, 50}, 12, [(0, 50, None), (50, 50, 50)]),
        ({0, 30, 60, 90}, 12, [(0, 30, None), (30, 30, 30), (60, 40, 60)]),
        ({0, 8}, 12, [(0, 33, None), (33, 33, 8), (66, 34, 8)]),
        ({70}, 12, [(0, 33, None), (33, 37, None), (70, 30, 70)]),
        ({0, 50}, None, [(0, 100, None)]),
    ],
)
def test_a_video_is_cut_at_near_key_frames_or_else_anywhere(
    keys: set[int], megapixels: int | None, segments: list[tuple[int, int, int | None]]
) -> None:
    assert planned(keys, megapixels=megapixels) == segments


def part_of(start: int, end: int | None) -> VideoPlan:
    """The plan of a part, in microseconds, of 100 frames 40 ms apart, of which every 30th is a key frame."""
    times = FrameTimes()
    for frame in range(100):
        times.add(frame * 40 + 7, key=frame % 30 == 0)
    info = replace(INFO, start=Fraction(7, 1000), origin=Fraction(3, 1000), last=Fraction(3967, 1000))
    part = VideoPart(start=start, end=end)
    return cut_segments(times, info, part=part, tick=Fraction(1, 1000), megapixels=8)


def test_parts_that_meet_have_every_frame_once_and_count_from_the_origin() -> None:
    borders = [0, 3_999, 4_000, 84_000, 84_001, 1_000_000, 2_224_000, None]
    frames = list[int]()
    for start, end in pairwise(borders):
        try:
            plan = part_of(start or 0, end)
        except MediaRefused:
            continue
        found = [s.before + at for s in plan.segments for at in range(s.frames)]
        assert plan.last == Fraction(found[-1] * 40 + 7, 1000)
        assert plan.frames == len(found)
        frames += found
    assert frames == list(range(100))
    assert part_of(84_000, None).segments[0].before == 2
    assert part_of(84_001, None).segments[0].before == 3


def test_a_part_begins_at_its_first_frame_and_ends_where_its_last_one_does() -> None:
    part, beginning = part_of(1_000_000, 3_000_000), part_of(0, 1_000_000)
    assert [(s.before, s.frames) for s in part.segments] == [(25, 35), (60, 15)]
    assert (part.start, part.origin, part.end) == (Fraction(1007, 1000), part.start, Fraction(3007, 1000))
    assert (beginning.start, beginning.origin) == (Fraction(7, 1000), Fraction(3, 1000))
    assert part.done_after(part.segments[1], 4) == 39


def test_a_part_in_which_no_frame_begins_is_refused() -> None:
    with pytest.raises(MediaRefused, match=r"no frame of the video begins from 0\.01 s to 0\.02 s"):
        part_of(10_000, 20_000)


def test_no_segment_is_empty_and_every_frame_is_in_exactly_one() -> None:
    for frames in range(1, 60):
        for every in (1, 3, 7, 30):
            plan = planned(set(range(0, frames, every)), megapixels=1, frames=frames)
            assert all(count > 0 for _, count, _ in plan)
            assert [first for first, _, _ in plan] == [
                sum(c for _, c, _ in plan[:at]) for at in range(len(plan))
            ]
            assert sum(count for _, count, _ in plan) == frames


def test_a_video_with_repeated_frame_times_is_one_segment() -> None:
    times = FrameTimes()
    for frame in range(100):
        times.add(frame // 2, key=True)
    assert len(cut_segments(times, INFO, tick=Fraction(1, 25), megapixels=1).segments) == 1


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("closed.mp4", ["-g", "7"]),
        ("open.mp4", ["-g", "7", "-x264-params", "open-gop=1:bframes=3"]),
        ("no-keys.mp4", ["-g", "250"]),
        ("uneven.mp4", ["-g", "12", *UNEVEN, "-t", "5"]),
        ("uneven.mkv", ["-g", "250", *UNEVEN, "-t", "5"]),
        ("fine.mov", ["-g", "7", "-video_track_timescale", "10000000"]),
        ("long-starts.mkv", ["-g", "6", "-c:v", "mpeg4", "-bf", "2"]),
        ("vp9.webm", ["-g", "9", "-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8"]),
        ("ntsc.mov", ["-g", "7", "-r", "30000/1001"]),
        ("open.ts", ["-g", "7", "-x264-params", "open-gop=1:bframes=3"]),
        ("motion.avi", ["-c:v", "mjpeg", "-pix_fmt", "yuvj420p"]),
    ],
)
def test_segments_have_the_frames_and_times_of_the_whole(
    clip: Clip, ffmpeg: Ffmpeg, times: Times, overlay: Overlay, tmp_path: Path, name: str, options: list[str]
) -> None:
    before = clip(name, "-t", "2", *options)
    whole = overlay(before).rename(tmp_path / "whole.mp4")
    check_same(ffmpeg, times, whole, overlay(before, segment_megapixels=3, segments=None))


def test_the_bytes_of_a_result_do_not_depend_on_the_number_of_cores(clip: Clip, overlay: Overlay) -> None:
    video = clip("moving.mp4", "-t", "2", "-vf", "noise=alls=20:allf=t")
    result = overlay(video).read_bytes()
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(cores)})  # inherited by ffmpeg
    try:
        assert overlay(video).read_bytes() == result
    finally:
        os.sched_setaffinity(0, cores)


def check_same(ffmpeg: Ffmpeg, times: Times, whole: Path, joined: Path) -> None:
    """Check for equal times and sound, and that each frame resembles its own more than the next."""
    assert times(joined) == times(whole)
    sound = ("-map", "0:a", "-c", "copy", "-f", "framemd5", "-")
    assert ffmpeg("-i", joined, *sound) == ffmpeg("-i", whole, *sound)
    same, next_one = likeness(ffmpeg, joined, whole, skip=0), likeness(ffmpeg, joined, whole, skip=1)
    assert len(same) == len(times(whole))
    assert all(this > other + 3 for this, other in zip(same, next_one, strict=False))


def likeness(ffmpeg: Ffmpeg, joined: Path, whole: Path, *, skip: int) -> list[float]:
    """Return the PSNR in decibels of each frame and that of the other file, of which some are skipped."""
    graph = f"[0:v]setpts=N[a];[1:v]trim=start_frame={skip},setpts=N[b];[a][b]psnr=shortest=1:stats_file=-"
    lines = (
        ffmpeg("-i", joined, "-i", whole, "-lavfi", graph, "-f", "null", "/dev/null").decode().splitlines()
    )
    return [float(line.split("psnr_avg:")[1].split()[0]) for line in lines if "psnr_avg:" in line]


def test_a_beginning_hidden_by_an_edit_list_stays_hidden(
    clip: Clip, ffmpeg: Ffmpeg, media: FfmpegMedia, times: Times, overlay: Overlay, tmp_path: Path
) -> None:
    long, edited = clip("long.mp4", "-g", "12", "-t", "2"), tmp_path / "edited.mp4"
    ffmpeg("-ss", "0.7", "-i", long, "-c", "copy", edited)
    assert media.probe_video(edited).frames == 32
    whole = overlay(edited).rename(tmp_path / "whole.mp4")
    joined = overlay(edited, segment_megapixels=3, segments=3)
    assert len(times(joined)) == 32
    check_same(ffmpeg, times, whole, joined)


def test_a_video_that_begins_after_its_sound_keeps_the_delay(
    clip: Clip, ffmpeg: Ffmpeg, media: FfmpegMedia, overlay: Overlay, tmp_path: Path
) -> None:
    plain, late = clip("plain.mp4", "-g", "7", "-t", "2"), tmp_path / "late.mkv"
    ffmpeg("-itsoffset", "0.4", "-i", plain, "-i", plain, "-map", "0:v", "-map", "1:a", "-c", "copy", late)
    source, result = (
        media.probe_video(late),
        media.probe_video(overlay(late, segment_megapixels=3, segments=None)),
    )
    assert float(result.start - result.origin) == pytest.approx(
        float(source.start - source.origin), abs=0.001
    )
    assert float(result.start) == pytest.approx(0.4, abs=0.03)
