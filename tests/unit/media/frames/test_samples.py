"""Sampled frames: the first of every interval, wherever the clock begins, and key frames of a long video."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from facecli.core.errors import MediaRefused
from facecli.core.video.media import MediaLimits, never
from facecli.media.ffmpeg import FfmpegMedia
from facecli.media.frames.samples import sample_frames
from facecli.media.run import ProcessLimits
from tests.unit.media.frames.test_frame_fidelity import late, raw

Ffmpeg = Callable[..., bytes]
Clip = Callable[..., Path]


def picked(ffmpeg: Ffmpeg, video: Path, numbers: range) -> list[bytes]:
    size, decoded = 320 * 180 * 3 // 2, raw(ffmpeg, video, "yuv420p")
    return [decoded[number * size :][:size] for number in numbers]


def test_the_first_frame_of_every_interval_is_sampled(clip: Clip, ffmpeg: Ffmpeg, media: FfmpegMedia) -> None:
    video = late(clip)
    info = media.probe_video(video)
    assert info.start > 0
    samples = [bytes(planes) for planes in media.sample_frames(video, info, count=4, stopped=never)]
    assert samples == picked(ffmpeg, video, range(0, 60, 15))
    few = media.sample_frames(video, info, count=100, stopped=never)
    assert len(list(few)) == 60


def test_a_sample_of_many_frames_is_one_that_others_need(
    clip: Clip, ffmpeg: Ffmpeg, media: FfmpegMedia
) -> None:
    video = clip("many.mp4", "-x264-params", "b-adapt=0:bframes=3:b-pyramid=none:keyint=250", "-an")
    info = media.probe_video(video)
    samples = [bytes(planes) for planes in media.sample_frames(video, info, count=2, stopped=never)]
    assert info.frames == 25
    assert samples == picked(ffmpeg, video, range(0, 17, 16))  # the second interval begins at frame 13


def test_only_key_frames_of_a_long_video_are_decoded(
    clip: Clip, ffmpeg: Ffmpeg, media: FfmpegMedia, binary: Path
) -> None:
    video = clip("keys.mp4", "-g", "10", "-keyint_min", "10", "-an")
    long = replace(media.probe_video(video), frames=1_000_000)
    samples = sample_frames(
        binary,
        video,
        long,
        count=5,
        limits=MediaLimits(),
        process_limits=ProcessLimits(seconds=60),
        stopped=never,
    )
    assert [bytes(planes) for planes in samples] == picked(ffmpeg, video, range(0, 25, 10))


def test_a_video_without_a_frame_is_refused(media: FfmpegMedia, plain: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(plain.read_bytes()[:2000])
    with pytest.raises(MediaRefused, match="cannot be decoded"):
        next(media.sample_frames(broken, media.probe_video(plain), count=2, stopped=never))
