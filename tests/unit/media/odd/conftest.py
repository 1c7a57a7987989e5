"""Fixtures that swap odd videos on the oldest and the newest supported ffmpeg."""

from pathlib import Path

import pytest

from tests.support.e2e.requirements import needs
from tests.support.media.ffmpegs import OLDEST, ffmpeg, newest
from tests.support.media.odd import H264, PICTURE, SOUND, Swap
from tests.support.media.swapped import swap


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
