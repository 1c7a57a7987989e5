"""Parts of videos: frame-exact, with the sound of the same moments, and refused where there is none."""

import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from facecli.core.errors import InvalidInput
from facecli.core.video.plan import WHOLE, VideoPart
from facecli.media.ffmpeg import FfmpegMedia

Ffmpeg = Callable[..., bytes]
Clip = Callable[..., Path]
Overlay = Callable[..., Path]

RATE = 48_000  # of the sound
# A grey that rises by two with every frame, and a tone that begins after 0.6 s.
PICTURE = ("-vf", "geq=lum='20+N*2':cb=128:cr=128", "-g", "8", "-bf", "2")
SOUND = ("-af", "volume=enable='lt(t,0.6)':volume=0")


def first_tone(ffmpeg: Ffmpeg, video: Path) -> float:
    """Seconds after which the sound becomes loud."""
    raw = ffmpeg("-i", video, "-map", "0:a", "-f", "s16le", "-ac", "1", "-ar", str(RATE), "-")
    samples = struct.unpack(f"<{len(raw) // 2}h", raw)
    return next(at for at, sample in enumerate(samples) if abs(sample) > 500) / RATE


def greys(ffmpeg: Ffmpeg, video: Path) -> list[int]:
    """The number of each frame, by the grey of its corner."""
    options = ("-vf", "crop=16:16:0:0,scale=1:1", "-fps_mode", "passthrough", "-pix_fmt", "gray")
    raw = ffmpeg("-i", video, *options, "-f", "rawvideo", "-")
    full = [value * 219 / 255 + 16 for value in raw]  # gray has the full range
    return [round((value - 20) / 2) for value in full]


@pytest.mark.parametrize(
    ("name", "options"),
    [("a.mp4", ()), ("a.mov", ("-c:a", "pcm_s16le")), ("a.ts", ()), ("a.mkv", ("-c:a", "libopus"))],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_part_has_its_frames_and_the_sound_of_the_same_moments(
    clip: Clip, ffmpeg: Ffmpeg, media: FfmpegMedia, overlay: Overlay, name: str, options: tuple[str, ...]
) -> None:
    video = clip(name, *PICTURE, *SOUND, *options)
    begin = first_tone(ffmpeg, video)
    result = overlay(video, part=VideoPart(start=400_000, end=800_000), segment_megapixels=1, segments=3)
    info = media.probe_video(result)
    assert info.frames == 10
    assert info.duration == pytest.approx(0.4)
    assert (float(info.origin), float(info.start)) == (0, 0)
    assert greys(ffmpeg, result) == list(range(10, 20))
    assert first_tone(ffmpeg, result) == pytest.approx(begin - 0.4, abs=0.012)


def test_the_beginning_and_the_end_of_a_video_keep_all_of_their_sound(
    clip: Clip, ffmpeg: Ffmpeg, overlay: Overlay
) -> None:
    video = clip("a.mp4", *PICTURE, *SOUND)
    assert greys(ffmpeg, overlay(video, part=VideoPart(end=200_000))) == list(range(5))
    begin = first_tone(ffmpeg, video)
    rest = overlay(video, part=VideoPart(start=520_000))
    assert greys(ffmpeg, rest) == list(range(13, 25))
    assert first_tone(ffmpeg, rest) == pytest.approx(begin - 0.52, abs=0.012)


def test_a_part_outside_of_its_video_is_refused_with_the_length(media: FfmpegMedia, plain: Path) -> None:
    info = media.probe_video(plain)
    for part, sentence in {
        VideoPart(start=1_000_000): "1 s is not in the video, which ends at 1 s",
        VideoPart(end=2_000_001): r"ends at 2.000001 s, but the video at 1 s; leave the end out",
    }.items():
        with pytest.raises(InvalidInput, match=sentence):
            part.check_within(info)
    VideoPart(start=999_999, end=2_000_000).check_within(info)  # players show rounded lengths


def test_a_video_without_times_has_no_parts(clip: Clip, media: FfmpegMedia) -> None:
    info = media.probe_video(clip("a.avi", "-c:v", "mpeg4", "-bf", "2", "-an"))
    WHOLE.check_within(info)
    with pytest.raises(InvalidInput, match="convert it first"):
        VideoPart(start=500_000).check_within(info)
