"""Odd videos that plain ffmpeg decodes: swapped right, on the oldest and the newest supported ffmpeg."""

import re
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import pytest

from facecli.core.errors import MediaRefused
from facecli.media.ffmpeg import FfmpegMedia
from tests.support.e2e.requirements import needs
from tests.support.media.ffmpegs import OLDEST, ffmpeg, newest
from tests.support.media.seen import Seen, ffmpeg_log, look_at
from tests.support.media.swapped import Swapped, swap

Swap = Callable[..., Swapped]

SIZE = "64x48"
PICTURE = ("-f", "lavfi", "-i", f"testsrc2=s={SIZE}:r=25:d=1")
TONE = "aevalsrc=if(gte(t\\,0.2)\\,0.5*sin(2*PI*1000*t)\\,0):s=48000:d=1"  # silent for 0.2 s
SOUND = ("-f", "lavfi", "-i", TONE)
H264 = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p")
SYNC = 0.03  # seconds by which a converted sound may move: half a frame of AAC


@pytest.fixture(params=["newest", pytest.param("oldest", marks=needs("ffmpeg 5.1"))])
def binary(request: pytest.FixtureRequest) -> Path:
    return newest() if request.param == "newest" else OLDEST


@pytest.fixture
def swapped(binary: Path, tmp_path: Path) -> Swap:
    folder = tmp_path / "swapped"
    folder.mkdir()
    return lambda video, **options: swap(binary, video, folder, **options)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """25 frames and a tone, H.264 and AAC in an MP4."""
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    ffmpeg(*PICTURE, *SOUND, *H264, "-c:a", "aac", path)
    return path


def check_same(video: Path, output: Path) -> tuple[Seen, Seen]:
    """Check that the result has the frames, times and sound of the video; return how both are seen."""
    before, after = look_at(video), look_at(output)
    assert after.frames == before.frames
    for time, wanted in zip(after.times, before.times, strict=True):
        assert float(time) == pytest.approx(float(wanted), abs=0.001)
    assert len(after.sounds) == len(before.sounds)
    for sound, original in zip(after.sounds, before.sounds, strict=True):
        assert sound.onset == pytest.approx(original.onset, abs=SYNC)
    return before, after


@pytest.mark.parametrize("codec", ["aac", "mp2", "ac3"])
@pytest.mark.parametrize("name", ["late.ts", "late.m2ts"])
def test_sound_that_begins_late_in_a_transport_stream_stays_in_sync(
    swapped: Swap, tmp_path: Path, codec: str, name: str
) -> None:
    late = tmp_path / name
    ffmpeg(*PICTURE, "-itsoffset", "1.3", *SOUND, "-map", "0", "-map", "1", *H264, "-c:a", codec, late)
    before, _ = check_same(late, swapped(late, segment_megapixels=3).output)
    assert before.sounds[0].onset == pytest.approx(1.5, abs=SYNC)


@pytest.mark.parametrize("name", ["start.mp4", "start.mov", "start.mkv"])
@pytest.mark.parametrize("offset", ["0.667", "20"])
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


@pytest.mark.parametrize(
    ("codec", "times"),
    [
        ("libopus", "setts=ts=if(eq(N\\,20)\\,TS-960\\,TS)"),  # equal
        ("libopus", "setts=ts=if(eq(N\\,20)\\,TS-4000\\,TS)"),  # going back
        ("aac", "setts=ts=if(eq(N\\,20)\\,TS-1024\\,TS)"),
        ("pcm_s16le", "setts=ts=if(eq(N\\,20)\\,TS-1024\\,TS)"),
    ],
)
def test_sound_whose_times_do_not_rise_is_kept(
    clip: Path, swapped: Swap, tmp_path: Path, codec: str, times: str
) -> None:
    video = tmp_path / "back.mkv"
    ffmpeg("-i", clip, "-c:v", "copy", "-c:a", codec, "-bsf:a", times, video)
    result = swapped(video)
    assert result.notes == []
    check_same(video, result.output)


def test_a_file_of_fragments_of_one_frame_is_swapped(clip: Path, swapped: Swap, tmp_path: Path) -> None:
    video = tmp_path / "fragments.mp4"
    ffmpeg("-i", clip, "-c", "copy", "-movflags", "dash+frag_every_frame", video)
    check_same(video, swapped(video, segment_megapixels=3).output)


def test_two_frames_with_the_same_time_are_both_kept(clip: Path, swapped: Swap, tmp_path: Path) -> None:
    video = tmp_path / "twins.mkv"
    twins = "setts=ts=if(eq(N\\,15)\\,TS-512\\,TS)"
    ffmpeg("-i", clip, "-c:a", "copy", *H264, "-bf", "0", "-bsf:v", twins, video)
    before, _ = check_same(video, swapped(video, segment_megapixels=3).output)
    assert before.frames == 25
    assert len(set(before.times)) == 24


def test_a_picture_whose_clock_goes_back_is_refused_when_the_task_is_created(
    binary: Path, clip: Path, tmp_path: Path
) -> None:
    video = tmp_path / "reset.mkv"
    ffmpeg("-i", clip, "-an", *H264, "-bf", "0", "-bsf:v", "setts=ts=if(gte(N\\,20)\\,TS-10240\\,TS)", video)
    with pytest.raises(MediaRefused, match=r"clock of the video goes back.*convert it first"):
        FfmpegMedia(wanted=str(binary)).probe_video(video)


def test_a_sound_track_that_cannot_be_decoded_is_left_out_and_said_so(
    clip: Path, swapped: Swap, tmp_path: Path
) -> None:
    video = tmp_path / "phone.mov"
    ffmpeg("-i", clip, "-map", "0", "-map", "0:a", "-c", "copy", "-c:a:1", "pcm_s16le", video)
    video.write_bytes(video.read_bytes().replace(b"sowt", b"apac"))
    result = swapped(video)
    (note,) = result.notes
    assert note.startswith("sound track 2 (")
    assert "is left out: " in note
    check_same(video, result.output)


def test_sound_in_garbage_is_left_out(clip: Path, swapped: Swap, tmp_path: Path) -> None:
    video = tmp_path / "garbage.mkv"
    ffmpeg("-i", clip, "-c:v", "copy", "-c:a", "libvorbis", "-bsf:a", "noise=amount=1", video)
    result = swapped(video)
    assert look_at(result.output).frames == 25


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("24.mkv", ["-c:a", "pcm_s16le", "-af", "aformat=channel_layouts=22.2"]),
        ("unknown.mov", ["-c:a", "pcm_s16le", "-af", "pan=5c|c0=c0|c1=c0|c2=c0|c3=c0|c4=c0"]),
        ("wide.mkv", ["-c:a", "flac", "-af", "aformat=channel_layouts=7.1(wide)"]),
        ("float.mov", ["-c:a", "pcm_f64le", "-ar", "192000"]),
        ("bytes.avi", ["-c:a", "pcm_u8", "-ar", "11025"]),
        ("amr.mov", ["-c:a", "pcm_alaw", "-ar", "8000"]),
    ],
)
def test_sound_of_any_layout_and_format_is_kept(
    clip: Path, swapped: Swap, tmp_path: Path, name: str, options: list[str]
) -> None:
    video = tmp_path / name
    ffmpeg("-i", clip, "-c:v", "mpeg4" if name.endswith("avi") else "copy", *options, video)
    (sound,) = look_at(swapped(video).output).sounds
    assert sound.onset == pytest.approx(0.2, abs=SYNC)


def test_a_second_longer_video_track_is_no_truncation(clip: Path, swapped: Swap, tmp_path: Path) -> None:
    video = tmp_path / "motion.mov"
    longer = ("-f", "lavfi", "-i", "testsrc2=s=32x32:r=25:d=3")
    ffmpeg("-i", clip, *longer, "-map", "0", "-map", "1", *H264, "-c:v:0", "copy", "-c:a", "copy", video)
    check_same(video, swapped(video).output)


@pytest.mark.parametrize("frames", ["0", "2"])
@pytest.mark.parametrize("name", ["last.mp4", "last.mkv"])
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


@pytest.mark.parametrize(
    ("tags", "languages"),
    [
        (("en-US", "deu"), ["eng", "deu"]),
        (("zh-Hans-CN", "pt_BR"), ["zho", "por"]),
        (("x\n[STREAM]\nlanguage=fra", "de"), ["und", "deu"]),
        (("nonsense", "mis"), ["und", "und"]),
    ],
)
def test_each_track_keeps_its_own_language(
    clip: Path, swapped: Swap, tmp_path: Path, tags: tuple[str, str], languages: list[str]
) -> None:
    video = tmp_path / "languages.mkv"
    metadata = [f"-metadata:s:a:{index}" for index in range(2)]
    pairs = [word for name, tag in zip(metadata, tags, strict=True) for word in (name, f"language={tag}")]
    ffmpeg("-i", clip, "-map", "0", "-map", "0:a", "-c", "copy", *pairs, video)
    after = look_at(swapped(video).output)
    assert [language or "und" for language in after.languages] == languages


@pytest.mark.parametrize(
    "text",
    [
        "a=b=c",
        "two\nlines; #1",
        "tail\\",
        "x\n[info]   Stream #0:1: Audio: evil",
        b"\xff\xfe\x80".decode("latin1"),
    ],
)
def test_titles_and_handlers_of_any_text_change_nothing(
    clip: Path, swapped: Swap, tmp_path: Path, text: str
) -> None:
    video = tmp_path / "titled.mkv"
    tags = [f"-metadata{of}" for of in ("", ":s:v", ":s:a:0", ":s:a:1")]
    words = [word for tag in tags for word in (tag, f"title={text}", tag, f"handler_name={text}")]
    language = ("-metadata:s:a:1", "language=deu")
    ffmpeg("-i", clip, "-map", "0", "-map", "0:a", "-c", "copy", *words, *language, video)
    _, after = check_same(video, swapped(video).output)
    assert [language or "und" for language in after.languages] == ["und", "deu"]


@pytest.mark.parametrize("field", ["tff", "bff"])
@pytest.mark.parametrize("segment_megapixels", [1500, 3])
def test_interlaced_video_becomes_whole_pictures(
    swapped: Swap, tmp_path: Path, field: str, segment_megapixels: int
) -> None:
    video = tmp_path / "interlaced.mp4"
    weave = "interleave_top" if field == "tff" else "interleave_bottom"
    fields = f"testsrc2=s=320x180:r=50:d=1,tinterlace={weave},setfield={field}"
    interlaced = ("-flags", "+ilme+ildct", "-x264-params", f"{field}=1")
    ffmpeg("-f", "lavfi", "-i", fields, *H264, *interlaced, video)
    result = swapped(video, segment_megapixels=segment_megapixels)
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
