"""Short clips of every kind, made by the ffmpeg under test.

`TEST_FFMPEG=/path/to/ffmpeg pytest tests/media` tests another ffmpeg than the one of imageio-ffmpeg.
"""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from facecli.media.ffmpeg import FfmpegMedia
from facecli.media.find import find_ffmpeg

WANTED = os.environ.get("TEST_FFMPEG")

Ffmpeg = Callable[..., bytes]
Clip = Callable[..., Path]
Frames = Callable[[Path], list[Image.Image]]


@pytest.fixture(scope="session")
def binary() -> Path:
    return find_ffmpeg(WANTED)


@pytest.fixture(scope="session")
def media() -> FfmpegMedia:
    return FfmpegMedia(wanted=WANTED)


@pytest.fixture(scope="session")
def ffmpeg(binary: Path) -> Ffmpeg:
    """Run it; its stdout."""

    def run(*arguments: str | Path) -> bytes:
        command = [str(binary), "-nostdin", "-v", "error", "-y", *map(str, arguments)]
        return subprocess.run(command, capture_output=True, check=True).stdout

    return run


@pytest.fixture(scope="session")
def clip(ffmpeg: Ffmpeg, tmp_path_factory: pytest.TempPathFactory) -> Clip:
    """A clip of 25 frames in a second, by its file name and the options of its output."""
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
    """Every frame of a video, decoded."""

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
