"""Frames of odd videos keep their number and times; what is not a frame does not count."""

import re
from fractions import Fraction
from pathlib import Path

import pytest

from facecli.core.errors import MediaRefused
from facecli.media.ffmpeg import FfmpegMedia
from tests.support.media.ffmpegs import ffmpeg
from tests.support.media.odd import H264, PICTURE, SIZE, Swap, check_same, pairwise
from tests.support.media.seen import ffmpeg_log, look_at


@pairwise("name,offset", ["start.mp4", "start.mov", "start.mkv"], ["0.667", "20", "30000"])
def test_a_clock_that_does_not_begin_at_0_is_no_truncation(
    clip: Path, swapped: Swap, tmp_path: Path, name: str, offset: str
) -> None:
    start = tmp_path / name
    ffmpeg("-itsoffset", offset, "-i", clip, "-c", "copy", start)
    output = swapped(start).output
    check_same(start, output)
    assert look_at(output).end < 1.2


def test_a_transport_stream_whose_clock_is_beyond_the_limit_on_length_is_swapped(
    clip: Path, swapped: Swap, tmp_path: Path
) -> None:
    video = tmp_path / "evening.ts"
    ffmpeg("-i", clip, "-c", "copy", "-output_ts_offset", "30000", video)
    check_same(video, swapped(video, segment_megapixels=3).output)


def test_two_frames_with_the_same_time_are_both_kept(clip: Path, swapped: Swap, tmp_path: Path) -> None:
    video = tmp_path / "twins.mkv"
    twins = "setts=ts=if(eq(N\\,15)\\,TS-512\\,TS)"
    ffmpeg("-i", clip, "-c:a", "copy", *H264, "-bf", "0", "-bsf:v", twins, video)
    result = swapped(video, segment_megapixels=3)
    before, _ = check_same(video, result.output)
    assert before.frames == result.plan.info.frames == 25
    assert len(set(before.times)) == 24


def test_frames_of_vp8_with_the_same_time_are_no_surprise_after_the_swap(
    swapped: Swap, tmp_path: Path
) -> None:
    whole, video = tmp_path / "whole.webm", tmp_path / "twins.webm"
    ffmpeg(*PICTURE, "-c:v", "libvpx", "-deadline", "realtime", "-cpu-used", "8", whole)
    ffmpeg("-i", whole, "-c", "copy", "-bsf:v", "setts=ts=if(eq(N\\,7)\\,PREV_OUTPTS\\,TS)", video)
    check_same(video, swapped(video).output)


def test_a_picture_whose_clock_goes_back_is_refused_when_the_task_is_created(
    binary: Path, clip: Path, tmp_path: Path
) -> None:
    video = tmp_path / "reset.mkv"
    ffmpeg("-i", clip, "-an", *H264, "-bf", "0", "-bsf:v", "setts=ts=if(gte(N\\,20)\\,TS-10240\\,TS)", video)
    with pytest.raises(MediaRefused, match=r"clock of the video goes back.*convert it first"):
        FfmpegMedia(wanted=str(binary)).probe_video(video)


def test_a_second_longer_video_track_is_no_truncation(clip: Path, swapped: Swap, tmp_path: Path) -> None:
    video = tmp_path / "motion.mov"
    longer = ("-f", "lavfi", "-i", "testsrc2=s=32x32:r=25:d=3")
    ffmpeg("-i", clip, *longer, "-map", "0", "-map", "1", *H264, "-c:v:0", "copy", "-c:a", "copy", video)
    before, after = check_same(video, swapped(video).output)
    assert after.end == before.end


@pairwise("frames,name", ["0", "2"], ["last.mp4", "last.mkv"])
def test_the_last_frame_keeps_its_length(
    swapped: Swap, binary: Path, tmp_path: Path, name: str, frames: str
) -> None:
    parts, video = tmp_path / "parts.txt", tmp_path / name
    for part, rate, seconds in (("a.mp4", "25", "1"), ("b.mp4", "1/5", "5")):
        source = ("-f", "lavfi", "-i", f"testsrc2=s={SIZE}:r={rate}:d={seconds}")
        ffmpeg(*source, *H264, "-preset", "medium", "-bf", frames, tmp_path / part)
    parts.write_text("ffconcat version 1.0\nfile a.mp4\nduration 1\nfile b.mp4\nduration 5\n")
    ffmpeg("-i", parts, "-c", "copy", video)
    result = swapped(video)
    before, after = check_same(video, result.output)
    assert after.frames == 26
    assert float(after.end) == pytest.approx(float(before.end), abs=0.05)
    assert float(before.end) > 5
    assert FfmpegMedia(wanted=str(binary)).probe_video(result.output).duration == pytest.approx(
        float(before.end), abs=0.05
    )


@pairwise("field,cut", ["tff", "bff"], ["whole", "cut"])
def test_interlaced_video_becomes_whole_pictures(swapped: Swap, tmp_path: Path, field: str, cut: str) -> None:
    video = tmp_path / "interlaced.mp4"
    weave = "interleave_top" if field == "tff" else "interleave_bottom"
    fields = f"testsrc2=s=320x180:r=50:d=1,tinterlace={weave},setfield={field}"
    interlaced = ("-flags", "+ilme+ildct", "-x264-params", f"{field}=1")
    ffmpeg("-f", "lavfi", "-i", fields, *H264, *interlaced, video)
    result = swapped(video, segment_megapixels=3 if cut == "cut" else 1500)
    before, after = check_same(video, result.output)
    assert (before.interlaced, after.interlaced) == (True, False)
    assert combed_frames(video) > 15
    assert combed_frames(result.output) < 5


def combed_frames(path: Path) -> int:
    """Count the frames of 25 that ffmpeg's idet filter finds to be woven from two moments."""
    log = ffmpeg_log("-i", path, "-vf", "idet", "-f", "null", "-")
    counts = re.findall(r"Multi frame detection: TFF: *(\d+) BFF: *(\d+)", log)
    return sum(map(int, counts[-1]))


def test_tracks_that_are_left_out_do_not_count(clip: Path, swapped: Swap, tmp_path: Path) -> None:
    words, video = tmp_path / "words.srt", tmp_path / "many.mkv"
    words.write_text("1\n00:00:00,000 --> 00:00:00,500\nhello\n")
    ffmpeg("-i", clip, "-i", words, "-map", "0", *["-map", "1"] * 40, "-c", "copy", video)
    check_same(video, swapped(video).output)


def test_a_timecode_track_and_a_track_without_packets_change_nothing(
    clip: Path, swapped: Swap, tmp_path: Path
) -> None:
    video = tmp_path / "camera.mov"
    silent = ("-f", "lavfi", "-i", "aevalsrc=0:s=48000:d=1,atrim=end=0")
    ffmpeg(
        "-i",
        clip,
        *silent,
        "-map",
        "0",
        "-map",
        "1",
        "-c",
        "copy",
        "-c:a:1",
        "pcm_s16le",
        "-timecode",
        "01:00:00:00",
        video,
    )
    result = swapped(video)
    assert result.notes == []
    check_same(video, result.output)


def test_times_are_exact_to_the_tick(clip: Path, swapped: Swap, tmp_path: Path) -> None:
    video = tmp_path / "late-picture.mov"
    ffmpeg("-itsoffset", "0.4", "-i", clip, "-i", clip, "-map", "0:v", "-map", "1:a", "-c", "copy", video)
    before, after = check_same(video, swapped(video).output)
    assert after.sounds[0].onset == pytest.approx(before.sounds[0].onset, abs=0.001)
    assert Fraction(0) == after.times[0]
