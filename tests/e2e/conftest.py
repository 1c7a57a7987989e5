"""Servers, users, files, and sample pictures and videos for end-to-end tests."""

import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from facecli.media.ffmpeg import FfmpegMedia
from facecli.media.find import find_ffmpeg
from tests.support.e2e.fake_clock import FakeClock
from tests.support.e2e.files import PacedFfmpeg, make_file
from tests.support.e2e.fsck import check_whole
from tests.support.e2e.server import Server

Serve = Callable[..., Server]
MakeFile = Callable[..., Path]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Start servers for one test; the arguments are those of `Server`."""
    with ExitStack() as stack:

        def start(data: Path = tmp_path / "data", **options: Any) -> Server:
            return stack.enter_context(Server(data, **options))

        yield start


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for all tests that neither stop nor damage it; its data must be intact at the end."""
    with Server(tmp_path_factory.mktemp("server") / "data") as running:
        yield running
        running.terminate()
        check_whole(running)


@pytest.fixture
def user(request: pytest.FixtureRequest) -> str:
    """A user name that no other test has."""
    return re.sub(r"\W+", "-", request.node.name)


@pytest.fixture
def file(tmp_path: Path) -> Iterator[MakeFile]:
    """Make files of a number of MiB; they are removed after the test, because they are large."""
    files: list[Path] = []

    def make(mib: int, name: str = "clip.mp4") -> Path:
        files.append(make_file(tmp_path / name, mib=mib))
        return files[-1]

    yield make
    for path in files:
        path.unlink(missing_ok=True)


@pytest.fixture
def clock(tmp_path: Path) -> FakeClock:
    (tmp_path / "clock").mkdir()
    return FakeClock(tmp_path / "clock")


@pytest.fixture(scope="session")
def ffmpeg() -> Path:
    """The ffmpeg that facecli uses."""
    return find_ffmpeg()


@pytest.fixture(scope="session")
def media() -> FfmpegMedia:
    return FfmpegMedia()


@pytest.fixture(scope="session")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("samples")


@pytest.fixture(scope="session")
def face(media: FfmpegMedia, samples: Path) -> Path:
    media.make_face(samples / "face.png")
    return samples / "face.png"


@pytest.fixture(scope="session")
def clip(media: FfmpegMedia, samples: Path) -> Path:
    """A small clip of two seconds."""
    media.make_clip(samples / "clip.mp4", seconds=2, width=320, height=180)
    return samples / "clip.mp4"


@pytest.fixture(scope="session")
def long_clip(media: FfmpegMedia, samples: Path) -> Path:
    """A small clip of 30 seconds, which `paced` takes as long to encode."""
    media.make_clip(samples / "long.mp4", seconds=30, width=128, height=72)
    return samples / "long.mp4"


@pytest.fixture(scope="session")
def big_clip(ffmpeg: Path, samples: Path) -> Path:
    """A clip of more than 20 MB in three seconds, full of noise, which does not compress."""
    path = samples / "big.mp4"
    source = "testsrc2=size=640x360:rate=25:duration=3,noise=alls=100:allf=t"
    noisy = ["-f", "lavfi", "-i", source, "-c:v", "mpeg4", "-q:v", "1"]
    subprocess.run([ffmpeg, "-v", "error", *noisy, path], check=True)
    assert path.stat().st_size > 20_000_000
    return path


@pytest.fixture(scope="session")
def copied_ffmpeg(ffmpeg: Path, samples: Path) -> Path:
    """A copy of the ffmpeg on the file system of the tests, which can be linked to."""
    return Path(shutil.copy2(ffmpeg, samples / "ffmpeg"))


@pytest.fixture
def paced(copied_ffmpeg: Path, tmp_path: Path) -> PacedFfmpeg:
    return PacedFfmpeg(copied_ffmpeg, tmp_path)
