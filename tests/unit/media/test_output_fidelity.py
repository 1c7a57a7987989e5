"""Output fidelity: the result keeps the frames, times, shape, colours and sound of any input."""

from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import pytest
from PIL import Image

from facecli.core.errors import MediaRefused
from facecli.core.video.media import Sound
from facecli.media.ffmpeg import FfmpegMedia

Ffmpeg = Callable[..., bytes]
Clip = Callable[..., Path]
Frames = Callable[[Path], list[Image.Image]]
Overlay = Callable[..., Path]
Times = Callable[[Path], list[Fraction]]

VP9 = ("-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8")


@pytest.mark.parametrize(
    ("name", "options", "sound"),
    [
        ("a.mp4", [], "aac"),
        ("a.mov", ["-c:v", "mjpeg", "-pix_fmt", "yuvj422p", "-c:a", "pcm_s16le"], "aac"),
        ("a.mkv", ["-c:a", "libmp3lame"], "mp3"),
        ("a.webm", ["-c:v", "libvpx", "-deadline", "realtime", "-c:a", "libopus"], "opus"),
        ("a.avi", ["-c:v", "mpeg4", "-c:a", "pcm_mulaw", "-ar", "8000"], "aac"),
        ("late.avi", ["-c:v", "mpeg4", "-bf", "2", "-an"], None),
        ("a.ts", ["-c:a", "mp2"], "aac"),
        ("silent.mp4", ["-an"], None),
        ("fragments.mp4", ["-movflags", "+frag_keyframe+empty_moov", "-g", "10"], "aac"),
        ("surround.mkv", ["-c:a", "flac", "-af", "aformat=channel_layouts=7.1(wide)"], "flac"),
        ("rgb.mkv", ["-c:v", "png", "-pix_fmt", "rgb24", "-c:a", "libvorbis"], "aac"),
    ],
)
def test_frames_times_size_and_sound_stay(
    clip: Clip,
    media: FfmpegMedia,
    times: Times,
    overlay: Overlay,
    name: str,
    options: list[str],
    sound: str | None,
) -> None:
    before = clip(name, *options)
    after = overlay(before)
    source, result = media.probe_video(before), media.probe_video(after)
    assert (
        (result.frames, result.width, result.height)
        == (source.frames, source.width, source.height)
        == (25, 320, 180)
    )
    assert result.duration == pytest.approx(source.duration, abs=1 / 25)
    assert (result.codec, result.sound) == ("h264", sound)
    if source.codec != "mpeg4":  # an AVI has no presentation times
        stamps, wanted = times(after), times(before)
        assert float(stamps[0]) == pytest.approx(float(wanted[0] - source.origin), abs=0.001)
        assert [time - stamps[0] for time in stamps] == [time - wanted[0] for time in wanted]


def test_a_variable_rate_keeps_its_times(clip: Clip, times: Times, overlay: Overlay) -> None:
    uneven = clip("uneven.mp4", "-vf", "select=not(eq(mod(n\\,7)\\,3))+eq(n\\,0)", "-fps_mode", "vfr", "-an")
    stamps = times(overlay(uneven))
    assert stamps == times(uneven)
    assert len(stamps) == 21
    assert len({later - earlier for earlier, later in pairwise(stamps)}) > 1


@pytest.mark.parametrize("rate", ["24000/1001", "60000/1001", "12"])
def test_every_usual_rate_stays_exact(clip: Clip, media: FfmpegMedia, overlay: Overlay, rate: str) -> None:
    before = clip("rate.mp4", "-an", rate=rate)
    assert media.probe_video(overlay(before)).rate == media.probe_video(before).rate


@pytest.mark.parametrize("size", ["321x181", "321x180", "320x181", "1x1"])
def test_an_odd_size_stays(
    clip: Clip, media: FfmpegMedia, frames: Frames, overlay: Overlay, size: str
) -> None:
    odd = clip("odd.webm", *VP9, "-an", size=size)
    after = media.probe_video(overlay(odd))
    assert (after.width, after.height, after.frames) == (*map(int, size.split("x")), 25)


def rotated(plain: Path, folder: Path) -> Path:
    """Rotate a video by a quarter: replace the identity matrix that ffmpeg writes into the track header."""
    identity = b"".join(n.to_bytes(4, "big") for n in (1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30))
    quarter = b"".join(n.to_bytes(4, "big") for n in (0, 1 << 16, 0, 0xFFFF0000, 0, 0, 180 << 16, 0, 1 << 30))
    data = plain.read_bytes()
    at = data.index(identity, data.index(b"tkhd"))
    path = folder / "rotated.mp4"
    path.write_bytes(data[:at] + quarter + data[at + len(quarter) :])
    return path


def test_a_rotated_video_becomes_upright(
    clip: Clip, media: FfmpegMedia, overlay: Overlay, tmp_path: Path
) -> None:
    video = rotated(clip("plain.mp4", "-g", "5"), tmp_path)
    assert (media.probe_video(video).width, media.probe_video(video).height) == (180, 320)
    after = media.probe_video(overlay(video, segment_megapixels=3, segments=3))
    assert (after.width, after.height, after.frames) == (180, 320, 25)


def stream_line(ffmpeg: Ffmpeg, path: Path) -> str:
    """Return the line of ffmpeg's log with format, colours, size and pixel shape of the video."""
    log = ffmpeg(
        "-v", "info", "-i", path, "-map", "0:V:0", "-c", "copy", "-f", "null", "-", stderr=True
    ).decode()
    return next(line for line in log.splitlines() if "Stream #0:0" in line and "Video:" in line)


@pytest.mark.parametrize(
    ("name", "options", "expected"),
    [
        ("shape.mp4", ["-vf", "setsar=4/3"], "320x180 [SAR 4:3 DAR 64:27]"),
        (
            "hd.mp4",
            [
                "-colorspace",
                "bt709",
                "-color_primaries",
                "bt709",
                "-color_trc",
                "bt709",
                "-color_range",
                "tv",
            ],
            "yuv420p(tv, bt709, ",
        ),
        (
            "sd.mp4",
            ["-colorspace", "smpte170m", "-color_primaries", "bt470bg", "-color_trc", "iec61966-2-1"],
            "smpte170m/bt470bg/iec61966-2-1, ",
        ),
        ("usual.mkv", ["-color_range", "tv"], "yuv420p(tv, "),
        ("full.mp4", ["-vf", "scale=out_range=pc,format=yuvj420p", "-pix_fmt", "yuvj420p"], "yuvj420p(pc, "),
        ("deep.mp4", ["-pix_fmt", "yuv420p10le"], "(High 10) (avc1 / 0x31637661), yuv420p10le("),
    ],
)
def test_pixel_shape_colours_and_depth_stay(
    clip: Clip, ffmpeg: Ffmpeg, overlay: Overlay, name: str, options: list[str], expected: str
) -> None:
    before = clip(name, "-x264-params", vui(options), *options, "-an")
    assert expected in stream_line(ffmpeg, before)
    assert expected in stream_line(ffmpeg, overlay(before))


def test_rgb_becomes_the_same_colours_in_bt709(
    clip: Clip, ffmpeg: Ffmpeg, frames: Frames, overlay: Overlay
) -> None:
    before = clip("rgb.mkv", "-c:v", "png", "-pix_fmt", "rgb24", "-an")
    after = overlay(before)
    assert "yuv420p(tv, bt709/" in stream_line(ffmpeg, after)
    source, result = frames(before)[0], frames(after)[0]
    for at in ((20, 100), (60, 100), (300, 100)):
        assert result.getpixel(at) == pytest.approx(source.getpixel(at), abs=12)


def vui(options: list[str]) -> str:
    """Return the options for x264 itself: ffmpeg 9 passes on only the properties of frames."""
    names = {"-colorspace": "colormatrix", "-color_primaries": "colorprim", "-color_trc": "transfer"}
    pairs = dict(zip(options[::2], options[1::2], strict=True))
    return ":".join(
        ["keyint=250", *(f"{names[name]}={value}" for name, value in pairs.items() if name in names)]
    )


@pytest.mark.parametrize(("transfer", "kind"), [("smpte2084", "HDR10"), ("arib-std-b67", "HLG")])
def test_hdr_is_refused(clip: Clip, media: FfmpegMedia, transfer: str, kind: str) -> None:
    params = f"colorprim=bt2020:transfer={transfer}:colormatrix=bt2020nc"
    bright = clip("hdr.mp4", "-pix_fmt", "yuv420p10le", "-x264-params", params)
    with pytest.raises(MediaRefused, match=f"{kind}.*convert it to SDR"):
        media.probe_video(bright)


def test_every_sound_track_keeps_its_language_and_supported_codecs_are_copied(
    clip: Clip, ffmpeg: Ffmpeg, media: FfmpegMedia, overlay: Overlay
) -> None:
    three = clip(
        "three.mkv",
        *("-map", "0", "-map", "1", "-map", "1", "-map", "1"),
        *("-c:a:0", "aac", "-c:a:1", "ac3", "-ac:a:1", "6", "-c:a:2", "libvorbis", "-ac:a:2", "2"),
        *("-metadata:s:a:0", "language=eng", "-metadata:s:a:1", "language=deu"),
    )
    after = overlay(three)
    for track in ("0:a:0", "0:a:1"):
        copied = ("-map", track, "-c", "copy", "-f", "md5", "-")
        assert ffmpeg("-i", after, *copied) == ffmpeg("-i", three, *copied)
    assert media.probe_video(after).sounds == (
        Sound(codec="aac", layout="mono", language="eng"),
        Sound(codec="ac3", layout="5.1(side)", language="deu"),
        Sound(codec="aac", layout="stereo"),
    )


def test_subtitles_and_titles_are_dropped(
    plain: Path, ffmpeg: Ffmpeg, overlay: Overlay, tmp_path: Path
) -> None:
    subtitles, titled = tmp_path / "words.srt", tmp_path / "titled.mkv"
    subtitles.write_text("1\n00:00:00,000 --> 00:00:01,000\nsecret\n")
    ffmpeg(
        "-i",
        plain,
        "-i",
        subtitles,
        "-c",
        "copy",
        "-c:s",
        "srt",
        "-metadata",
        "title=secret\n\x1b[31mred",
        titled,
    )
    assert b"secret" in titled.read_bytes()
    assert b"secret" not in overlay(titled).read_bytes()


def test_the_index_precedes_the_media_data(plain: Path, overlay: Overlay) -> None:
    data = overlay(plain).read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")
