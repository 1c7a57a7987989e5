"""The face goes on every frame; everything else about the video stays."""

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
from PIL import Image

from facecli.core.errors import Cancelled, MediaRefused
from facecli.core.media import Box, VideoInfo
from facecli.media.ffmpeg import FfmpegMedia

BOX = Box(x=130, y=60, width=60, height=60)
MAGENTA = (255, 0, 255)

Ffmpeg = Callable[..., bytes]
Clip = Callable[..., Path]
Frames = Callable[[Path], list[Image.Image]]
Overlay = Callable[[Path], Path]


@pytest.fixture
def overlay(media: FfmpegMedia, tmp_path: Path) -> Overlay:
    """The video with a magenta square on it."""
    picture, output = tmp_path / "picture.png", tmp_path / "out.mp4"
    Image.new("RGB", (BOX.width, BOX.height), MAGENTA).save(picture)

    def make(video: Path) -> Path:
        media.overlay(
            video=video,
            picture=picture,
            box=BOX,
            output=output,
            info=media.probe_video(video),
            progress=lambda frames: None,
            stopped=lambda: False,
        )
        return output

    return make


def times(ffmpeg: Ffmpeg, video: Path) -> list[int]:
    """Milliseconds of every frame after the first."""
    options = ("-map", "0:V:0", "-fps_mode", "passthrough", "-enc_time_base", "1:1000", "-f", "framecrc", "-")
    lines = ffmpeg("-i", video, *options).decode().splitlines()
    stamps = [int(line.split(",")[2]) for line in lines if line and not line.startswith("#")]
    return [stamp - stamps[0] for stamp in stamps]


def is_magenta(pixel: object) -> bool:
    assert isinstance(pixel, tuple)
    return bool(pixel[0] > 220 and pixel[1] < 40 and pixel[2] > 220)


@pytest.mark.parametrize(
    ("name", "options", "sound"),
    [
        ("a.mp4", [], "aac"),
        ("a.mov", ["-c:v", "mjpeg", "-pix_fmt", "yuvj422p", "-c:a", "pcm_s16le"], "aac"),
        ("a.mkv", ["-c:a", "libmp3lame"], "mp3"),
        ("a.webm", ["-c:v", "libvpx", "-deadline", "realtime", "-c:a", "libopus"], "aac"),
        ("a.avi", ["-c:v", "mpeg4", "-c:a", "pcm_mulaw", "-ar", "8000"], "aac"),
        ("a.ts", [], "aac"),
        ("silent.mp4", ["-an"], None),
        ("fragments.mp4", ["-movflags", "+frag_keyframe+empty_moov", "-g", "10"], "aac"),
        ("surround.mkv", ["-c:a", "flac", "-af", "aformat=channel_layouts=7.1(wide)"], "aac"),
        ("ten-bit.mkv", ["-pix_fmt", "yuv420p10le"], "aac"),
    ],
)
def test_frames_times_size_and_sound_stay(
    clip: Clip,
    media: FfmpegMedia,
    ffmpeg: Ffmpeg,
    overlay: Overlay,
    name: str,
    options: list[str],
    sound: str | None,
) -> None:
    before = clip(name, *options)
    after = overlay(before)
    was, now = media.probe_video(before), media.probe_video(after)
    assert (now.frames, now.width, now.height) == (was.frames, was.width, was.height) == (25, 320, 180)
    assert now.duration == pytest.approx(was.duration, abs=1 / 25)
    assert (now.codec, now.sound) == ("h264", sound)
    assert times(ffmpeg, after) == pytest.approx(times(ffmpeg, before), abs=1)


def test_the_face_is_on_the_first_the_middle_and_the_last_frame(
    plain: Path, frames: Frames, overlay: Overlay
) -> None:
    before, after = frames(plain), frames(overlay(plain))
    assert len(before) == len(after) == 25
    for index in (0, 12, 24):
        for x, y in [(132, 62), (160, 90), (187, 117)]:
            assert is_magenta(after[index].getpixel((x, y)))
        for x, y in [(120, 90), (160, 50), (200, 90), (160, 130)]:
            assert not is_magenta(after[index].getpixel((x, y)))
    assert before[12].getpixel((20, 20)) == pytest.approx(after[12].getpixel((20, 20)), abs=12)


def test_a_variable_rate_keeps_its_times(
    clip: Clip, media: FfmpegMedia, ffmpeg: Ffmpeg, overlay: Overlay
) -> None:
    uneven = clip("uneven.mp4", "-vf", "select=not(eq(mod(n\\,7)\\,3))+eq(n\\,0)", "-fps_mode", "vfr", "-an")
    after = overlay(uneven)
    stamps = times(ffmpeg, after)
    assert stamps == times(ffmpeg, uneven)
    assert len({later - earlier for earlier, later in pairwise(stamps)}) > 1
    assert media.probe_video(after).frames == media.probe_video(uneven).frames == 21


@pytest.mark.parametrize("rate", ["24000/1001", "60000/1001", "12"])
def test_every_usual_rate_stays_exact(clip: Clip, media: FfmpegMedia, overlay: Overlay, rate: str) -> None:
    before = clip("rate.mp4", "-an", rate=rate)
    assert media.probe_video(overlay(before)).rate == media.probe_video(before).rate


def test_an_odd_side_grows_by_one_repeated_pixel(
    clip: Clip, media: FfmpegMedia, frames: Frames, overlay: Overlay
) -> None:
    odd = clip(
        "odd.webm", "-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-an", size="321x181"
    )
    assert (media.probe_video(odd).width, media.probe_video(odd).height) == (321, 181)
    after = frames(overlay(odd))
    assert after[0].size == (322, 182)
    assert after[12].getpixel((321, 90)) == pytest.approx(after[12].getpixel((320, 90)), abs=24)


def test_a_turned_video_stays_upright(
    plain: Path, ffmpeg: Ffmpeg, media: FfmpegMedia, overlay: Overlay, tmp_path: Path
) -> None:
    turned = tmp_path / "turned.mp4"
    # The matrix of a quarter turn, in the track header that ffmpeg writes as the identity.
    identity = b"".join(n.to_bytes(4, "big") for n in (1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30))
    quarter = b"".join(n.to_bytes(4, "big") for n in (0, 1 << 16, 0, 0xFFFF0000, 0, 0, 180 << 16, 0, 1 << 30))
    data = plain.read_bytes()
    at = data.index(identity, data.index(b"tkhd"))
    turned.write_bytes(data[:at] + quarter + data[at + len(quarter) :])
    assert (media.probe_video(turned).width, media.probe_video(turned).height) == (180, 320)
    after = media.probe_video(overlay(turned))
    assert (after.width, after.height, after.frames) == (180, 320, 25)


def test_every_sound_track_stays_and_the_first_is_copied(
    clip: Clip, ffmpeg: Ffmpeg, overlay: Overlay
) -> None:
    two = clip("two.mkv", "-map", "0", "-map", "1", "-map", "1", "-c:a:0", "aac", "-c:a:1", "ac3")
    after = overlay(two)
    first = ("-map", "0:a:0", "-c", "copy", "-f", "md5", "-")
    assert ffmpeg("-i", after, *first) == ffmpeg("-i", two, *first)
    assert b"#codec_id 1: aac" in ffmpeg("-i", after, "-map", "0:a", "-c", "copy", "-f", "framecrc", "-")


def test_a_size_that_changes_midway_is_scaled_to_the_first(
    clip: Clip, ffmpeg: Ffmpeg, media: FfmpegMedia, frames: Frames, overlay: Overlay, tmp_path: Path
) -> None:
    joined, video = tmp_path / "joined.ts", tmp_path / "joined.mkv"
    parts = [clip("part.ts", "-an"), clip("part.ts", "-an", size="640x480")]
    joined.write_bytes(b"".join(part.read_bytes() for part in parts))
    ffmpeg("-i", joined, "-c", "copy", video)
    output = overlay(video)
    after = media.probe_video(output)
    assert (after.width, after.height) == (320, 180)
    assert after.frames == len(times(ffmpeg, video)) > 25
    assert all(is_magenta(frame.getpixel((160, 90))) for frame in frames(output))


def test_titles_of_the_user_are_not_carried_over(clip: Clip, overlay: Overlay) -> None:
    titled = clip("titled.mp4", "-metadata", "title=secret\n\x1b[31mred")
    assert b"secret" in titled.read_bytes()
    assert b"secret" not in overlay(titled).read_bytes()


def test_progress_rises_to_the_number_of_frames(
    plain: Path, face: Path, media: FfmpegMedia, tmp_path: Path
) -> None:
    seen: list[int] = []
    media.overlay(
        video=plain,
        picture=face,
        box=BOX,
        output=tmp_path / "out.mp4",
        info=media.probe_video(plain),
        progress=seen.append,
        stopped=lambda: False,
    )
    assert seen == sorted(seen)
    assert seen[-1] == 25


def test_cancel_leaves_no_process_and_no_output(
    binary: Path, face: Path, media: FfmpegMedia, tmp_path: Path, clip: Clip
) -> None:
    long = clip("long.mp4", "-vf", "tpad=stop_mode=clone:stop_duration=60", "-t", "60", "-an")
    output, seen = tmp_path / "out.mp4", list[int]()
    with pytest.raises(Cancelled):
        media.overlay(
            video=long,
            picture=face,
            box=BOX,
            output=output,
            info=media.probe_video(long),
            progress=seen.append,
            stopped=lambda: any(seen),
        )
    assert 0 < seen[-1] < 1500
    assert not output.exists()
    assert not [line for line in command_lines() if str(output) in line]


def command_lines() -> list[str]:
    """Of every process on this machine."""
    lines = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            lines.append((process / "cmdline").read_text(errors="replace"))
        except OSError:
            continue  # it has ended meanwhile
    return lines


def test_what_cannot_be_decoded_is_refused_and_leaves_nothing(
    media: FfmpegMedia, face: Path, plain: Path, tmp_path: Path
) -> None:
    data = plain.read_bytes()
    broken, output = tmp_path / "broken.mp4", tmp_path / "out.mp4"
    broken.write_bytes(data[: len(data) * 6 // 10])
    info = VideoInfo(
        width=320, height=180, frames=25, duration=1, rate=media.probe_video(plain).rate, codec="", sound=None
    )
    with pytest.raises(MediaRefused, match="cannot be converted"):
        media.overlay(
            video=broken,
            picture=face,
            box=BOX,
            output=output,
            info=info,
            progress=lambda frames: None,
            stopped=lambda: False,
        )
    assert not output.exists()
