"""Short clips of every kind, made by the ffmpeg under test.

`TEST_FFMPEG=/path/to/ffmpeg pytest tests/unit/media` tests another ffmpeg than the installed one.
"""

import os
import subprocess
import warnings
from collections.abc import Callable, Iterator
from fractions import Fraction
from functools import cache
from pathlib import Path

import pytest
from PIL import Image

from facecli.core.video.formats import FormatKind, of_kind
from facecli.core.video.media import OverlayJob, Segment
from facecli.core.video.placement import Oscillation, Placement
from facecli.core.video.plan import WHOLE, VideoPart
from facecli.media.ffmpeg import FfmpegMedia
from facecli.media.find import find_ffmpeg
from facecli.media.picture.decode import fit_to, open_upright

WANTED = os.environ.get("TEST_FFMPEG")

Ffmpeg = Callable[..., bytes]
Clip = Callable[..., Path]
Fit = Callable[[bytes, int, int], Image.Image]
Frames = Callable[[Path], list[Image.Image]]
Overlay = Callable[..., Path]
Times = Callable[[Path], list[Fraction]]

MAGENTA = (255, 0, 255)
# Moves far in a clip of 320 × 180 pixels and one second.
PLACEMENT = Placement(
    width=60,
    height=60,
    x=Oscillation(middle=130, reach=100, period=3, phase=0.9),
    y=Oscillation(middle=60, reach=50),
)


@pytest.fixture(scope="session")
def binary() -> Path:
    return find_ffmpeg(WANTED)


@pytest.fixture(scope="session")
def media() -> FfmpegMedia:
    return FfmpegMedia(wanted=WANTED)


@pytest.fixture(scope="session")
def ffmpeg(binary: Path) -> Ffmpeg:
    """Run ffmpeg; return its stdout, or stderr."""

    def run(*arguments: str | Path, stderr: bool = False) -> bytes:
        command = [str(binary), "-nostdin", "-v", "error", "-y", *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, check=True)
        return done.stderr if stderr else done.stdout

    return run


@pytest.fixture(scope="session")
def clip(ffmpeg: Ffmpeg, tmp_path_factory: pytest.TempPathFactory) -> Clip:
    """Make a clip of 25 frames and one second from a file name and output options."""
    folder = tmp_path_factory.mktemp("clips")

    def make(name: str, *options: str, size: str = "320x180", rate: str = "25", sound: bool = True) -> Path:
        path = folder / f"{len(list(folder.iterdir()))}-{name}"
        inputs = ["-f", "lavfi", "-i", f"testsrc=size={size}:rate={rate}"]
        if sound:
            inputs += ["-f", "lavfi", "-i", "sine=sample_rate=48000"]
        ffmpeg(*inputs, "-t", "1", "-pix_fmt", "yuv420p", "-preset", "ultrafast", *options, path)
        return path

    return make


@pytest.fixture(scope="session")
def plain(clip: Clip) -> Path:
    """320 × 180, H.264 and AAC in an MP4 with its index in front."""
    return clip("plain.mp4", "-movflags", "+faststart")


@pytest.fixture(scope="session")
def frames(ffmpeg: Ffmpeg, media: FfmpegMedia) -> Frames:
    """Decode every frame of a video."""

    def read(path: Path) -> list[Image.Image]:
        info = media.probe_video(path)
        raw = ffmpeg("-i", path, "-fps_mode", "passthrough", "-f", "rawvideo", "-pix_fmt", "rgb24", "-")
        size = info.width * info.height * 3
        pieces = [raw[at : at + size] for at in range(0, len(raw), size)]
        return [Image.frombytes("RGB", (info.width, info.height), piece) for piece in pieces]

    return read


@pytest.fixture
def face(media: FfmpegMedia, tmp_path: Path) -> Path:
    media.make_face(tmp_path / "face.png")
    return tmp_path / "face.png"


@pytest.fixture(scope="session")
def times(ffmpeg: Ffmpeg) -> Times:
    """Return the presentation time of each frame, in seconds on the file's own clock."""

    def read(path: Path) -> list[Fraction]:
        options = ("-map", "0:V:0", "-c", "copy", "-f", "framecrc", "-")
        lines = ffmpeg("-copyts", "-i", path, *options).decode().splitlines()
        tick = next(Fraction(line.split()[-1]) for line in lines if line.startswith("#tb 0"))
        return sorted(int(line.split(",")[2]) * tick for line in lines if line and not line.startswith("#"))

    return read


@pytest.fixture(scope="session")
def media_of(binary: Path) -> Callable[[int], FfmpegMedia]:
    """Return the media that cuts segments of a size, which asks ffmpeg for its version once."""
    return cache(lambda megapixels: FfmpegMedia(wanted=str(binary), segment_megapixels=megapixels))


@pytest.fixture
def overlay(media_of: Callable[[int], FfmpegMedia], tmp_path: Path) -> Overlay:
    """Put a magenta square on a video or a part of it, segment by segment."""
    picture, output = tmp_path / "picture.png", tmp_path / "out.mp4"
    Image.new("RGB", (PLACEMENT.width, PLACEMENT.height), MAGENTA).save(picture)

    def make(
        video: Path, *, segment_megapixels: int = 1500, segments: int | None = 1, part: VideoPart = WHOLE
    ) -> Path:
        media = media_of(segment_megapixels)
        plan = media.plan(video, part=part)
        assert len(plan.segments) == segments or segments is None
        parts = [tmp_path / f"{segment.index}.mp4" for segment in plan.segments]

        def write_part(segment: Segment, part: Path) -> None:
            job = OverlayJob(
                video=video,
                segment=segment,
                info=plan.info,
                picture=picture,
                placement=PLACEMENT,
                output=part,
            )
            media.overlay(job, progress=lambda frames: None, stopped=lambda: False)
            if (frames := media.count_frames(part)) != segment.frames:
                assert frames == media.count_decodable(video, segment, plan.info)

        for segment, output_part in zip(plan.segments, parts, strict=True):
            write_part(segment, output_part)
        sound = tmp_path / "sound.mp4"
        assert media.extract_sound(video, plan, sound, stopped=lambda: False) == []
        media.join(metadata={}, parts=parts, sound=sound, plan=plan, output=output, stopped=lambda: False)
        return output

    return make


@pytest.fixture
def fit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Fit]:
    """Decode and fit a picture as the decoder does, but in this process, without the sandbox."""

    def fit(data: bytes, width: int, height: int) -> Image.Image:
        (tmp_path / "upload").write_bytes(data)
        formats = [entry.pillow for entry in of_kind(FormatKind.IMAGE)]
        source = str(tmp_path / "upload")
        picture, _, content = open_upright(source, 36_000_000, formats=formats, names="JPEG")
        return fit_to(picture, width, height, profile=content.icc)

    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", Image.MAX_IMAGE_PIXELS)
    with warnings.catch_warnings():
        yield fit
