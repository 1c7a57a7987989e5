"""Rewritten frames: every sample that a filter leaves alone is the decoded one, and so is every time."""

from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import pytest

from facecli.core.video.media import FramesJob, never
from facecli.media.ffmpeg import FfmpegMedia
from tests.support.media.ffmpegs import OLDEST, has_oldest
from tests.unit.media.frames.conftest import LOSSLESS, Recorder, Variant
from tests.unit.media.test_output_fidelity import rotated, stream_line

Ffmpeg = Callable[..., bytes]
Clip = Callable[..., Path]
Times = Callable[[Path], list[Fraction]]

FFV1 = ("-c:v", "ffv1", "-slices", "4")
VUI = "colorprim=bt470bg:transfer=iec61966-2-1:colormatrix=smpte170m"
FULL = ("-vf", "scale=out_range=pc", "-color_range", "pc")


@dataclass(frozen=True)
class Case:
    """A pixel format and how to make it; `planes` is the format that the filter gets, by default the same."""

    format: str
    codec: tuple[str, ...] = FFV1
    size: str = "64x48"
    name: str = "a.mkv"
    planes: str = ""
    encoded: str = ""  # by default as the planes
    layout: tuple[int, int, int] = field(default=(8, 2, 2))  # bits, steps of colour

    def __str__(self) -> str:
        return f"{self.format}-{self.size}-{self.name}"


CASES = [
    Case("yuv420p"),
    Case("yuvj420p", FULL, name="a.mp4"),
    Case("yuv422p", layout=(8, 2, 1)),
    Case("yuvj422p", ("-c:v", "mjpeg"), name="a.mov", layout=(8, 2, 1)),
    Case("yuv444p", layout=(8, 1, 1)),
    Case("yuv420p10le", layout=(10, 2, 2)),
    Case("yuv422p10le", layout=(10, 2, 1)),
    Case("yuv444p10le", layout=(10, 1, 1)),
    Case("yuv420p10le", (*FULL, "-x264-params", "fullrange=on"), name="full.mp4", layout=(10, 2, 2)),
    Case("yuv420p", size="65x49", encoded="yuv444p"),
    Case("yuv420p10le", size="64x49", encoded="yuv444p10le", layout=(10, 2, 2)),
    Case("yuv422p", size="65x48", encoded="yuv444p", layout=(8, 2, 1)),
    Case("yuv422p", size="64x49", layout=(8, 2, 1)),
    Case("yuv411p", planes="yuv420p"),
    Case("yuv420p12le", ("-c:v", "ffv1"), planes="yuv420p10le", layout=(10, 2, 2)),
]


@pytest.fixture(scope="module")
def lossless(variant: Variant) -> FfmpegMedia:
    return FfmpegMedia(wanted=str(variant(encoding=LOSSLESS)))


@pytest.mark.parametrize("case", CASES, ids=str)
def test_samples_that_the_filter_leaves_alone_are_encoded_as_decoded(
    clip: Clip, ffmpeg: Ffmpeg, lossless: FfmpegMedia, recorder: Recorder, tmp_path: Path, case: Case
) -> None:
    video = clip(
        case.name, "-pix_fmt", case.format, *case.codec, "-frames:v", "4", size=case.size, sound=False
    )
    output, plan = tmp_path / "out.mp4", lossless.plan(video)
    job = FramesJob(video=video, segment=plan.segments[0], info=plan.info, output=output)
    lossless.rewrite_frames(job, open_filter=recorder.open, progress=lambda frames: None, stopped=never)
    layout, planes = recorder.layout, case.planes or case.format
    assert layout
    assert (layout.bits, layout.column_step, layout.row_step) == case.layout
    decoded = raw(ffmpeg, video, planes)
    assert b"".join(frame for frame, _ in recorder.frames) == decoded
    expected = bytearray(decoded)
    expected[:: layout.frame_bytes] = bytes([77]) * 4
    edited = ["-f", "rawvideo", "-pix_fmt", planes, "-s", case.size, "-i", tmp_path / "edited"]
    (tmp_path / "edited").write_bytes(expected)
    encoded = case.encoded or planes
    assert raw(ffmpeg, output, encoded) == ffmpeg(*edited, "-pix_fmt", encoded, "-f", "rawvideo", "-")
    assert stream_line(ffmpeg, output).count(f"{encoded}(") == 1


@pytest.mark.skipif(not has_oldest(), reason="needs the oldest ffmpeg")
@pytest.mark.parametrize("case", [case for case in CASES if case.format.startswith("yuvj")], ids=str)
def test_full_range_is_converted_by_no_version_of_ffmpeg(
    clip: Clip, ffmpeg: Ffmpeg, recorder: Recorder, tmp_path: Path, case: Case
) -> None:
    video = clip(case.name, "-pix_fmt", case.format, *case.codec, "-frames:v", "4", sound=False)
    media = FfmpegMedia(wanted=str(OLDEST))
    plan = media.plan(video)
    job = FramesJob(video=video, segment=plan.segments[0], info=plan.info, output=tmp_path / "out.mp4")
    media.rewrite_frames(job, open_filter=recorder.open, progress=lambda frames: None, stopped=never)
    assert b"".join(frame for frame, _ in recorder.frames) == raw(ffmpeg, video, case.format)


def raw(ffmpeg: Ffmpeg, video: Path, pixel_format: str) -> bytes:
    options = ("-fps_mode", "passthrough", "-pix_fmt", pixel_format, "-f", "rawvideo", "-")
    return ffmpeg("-i", video, "-map", "0:V:0", *options)


def uneven(clip: Clip) -> Path:
    gaps = "select=not(eq(mod(n\\,7)\\,3))+eq(n\\,0)"
    return clip("uneven.mp4", "-vf", gaps, "-fps_mode", "vfr", "-g", "4", "-an", rate="60")


def late(clip: Clip) -> Path:
    return clip("late.ts", "-g", "7", "-bf", "2", "-muxdelay", "1", "-an", rate="60")


@pytest.mark.parametrize("make", [uneven, late])
def test_segments_get_the_frames_around_them_and_keep_every_time(
    clip: Clip,
    ffmpeg: Ffmpeg,
    media_of: Callable[[int], FfmpegMedia],
    times: Times,
    tmp_path: Path,
    make: Callable[[Clip], Path],
) -> None:
    media, video, output = media_of(6), make(clip), tmp_path / "out.mp4"
    plan, parts, seen = media.plan(video), list[Path](), list[int]()
    assert len(plan.segments) == 3
    decoded = raw(ffmpeg, video, "yuv420p")
    for segment in plan.segments:
        recorder, part = Recorder(), tmp_path / f"{segment.index}.mp4"
        job = FramesJob(video=video, segment=segment, info=plan.info, output=part)
        media.rewrite_frames(job, open_filter=recorder.open, progress=seen.append, stopped=never)
        first, after = segment.before, segment.before + segment.frames
        around = range(max(0, first - 16), min(plan.info.frames, after + 3))
        size = len(recorder.frames[0][0])
        expected = [(decoded[at * size : (at + 1) * size], first <= at < after) for at in around]
        assert recorder.frames == expected
        assert recorder.opened == 1
        assert seen == list(range(1, segment.frames + 1))
        seen.clear()
        parts.append(part)
    sound = tmp_path / "sound.mp4"
    media.extract_sound(video, plan, sound, stopped=never)
    media.join(metadata={}, parts=parts, sound=sound, plan=plan, output=output, stopped=never)
    start = times(video)[0]
    assert times(output) == [time - start for time in times(video)]


def test_a_rotated_video_is_filtered_upright(
    clip: Clip, ffmpeg: Ffmpeg, media: FfmpegMedia, recorder: Recorder, tmp_path: Path
) -> None:
    video, output = rotated(clip("plain.mp4"), tmp_path), tmp_path / "out.mp4"
    plan = media.plan(video)
    job = FramesJob(video=video, segment=plan.segments[0], info=plan.info, output=output)
    media.rewrite_frames(job, open_filter=recorder.open, progress=lambda frames: None, stopped=never)
    assert recorder.layout and (recorder.layout.width, recorder.layout.height) == (180, 320)
    assert b"".join(frame for frame, _ in recorder.frames) == raw(ffmpeg, video, "yuv420p")
    after = media.probe_video(output)
    assert (after.width, after.height, after.frames) == (180, 320, 25)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (
            ("-vf", "setsar=4/3", "-x264-params", VUI),
            ("smpte170m/bt470bg/iec61966-2-1, ", "[SAR 4:3 DAR 64:27]"),
        ),
        (("-color_range", "tv", "-colorspace", "bt709"), ("yuv420p(tv, bt709",)),
    ],
)
def test_pixel_shape_and_colour_tags_stay(
    clip: Clip,
    ffmpeg: Ffmpeg,
    media: FfmpegMedia,
    recorder: Recorder,
    tmp_path: Path,
    options: tuple[str, ...],
    expected: tuple[str, ...],
) -> None:
    video, output = clip("tags.mp4", *options, "-an"), tmp_path / "out.mp4"
    plan = media.plan(video)
    job = FramesJob(video=video, segment=plan.segments[0], info=plan.info, output=output)
    media.rewrite_frames(job, open_filter=recorder.open, progress=lambda frames: None, stopped=never)
    assert all(part in stream_line(ffmpeg, video) for part in expected)
    assert all(part in stream_line(ffmpeg, output) for part in expected)


def test_a_size_that_changes_midway_is_scaled_to_the_first(
    clip: Clip, ffmpeg: Ffmpeg, media: FfmpegMedia, recorder: Recorder, tmp_path: Path
) -> None:
    joined, video, output = tmp_path / "joined.ts", tmp_path / "joined.mkv", tmp_path / "out.mp4"
    parts = [clip("part.ts", "-an"), clip("part.ts", "-an", size="640x480")]
    joined.write_bytes(b"".join(part.read_bytes() for part in parts))
    ffmpeg("-i", joined, "-c", "copy", video)
    plan = media.plan(video)
    job = FramesJob(video=video, segment=plan.segments[0], info=plan.info, output=output)
    media.rewrite_frames(job, open_filter=recorder.open, progress=lambda frames: None, stopped=never)
    assert {len(frame) for frame, _ in recorder.frames} == {320 * 180 * 3 // 2}
    # The decoder loses the last frame before the change.
    assert media.count_frames(output) == media.count_decodable(video, plan.segments[0], plan.info) > 25
