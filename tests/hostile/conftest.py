"""A server with a worker, other users' files on it and beside it, and the materials for hostile ones."""

import os
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest

from facecli.bootstrap.server import run_server
from facecli.config.settings import Settings
from facecli.media.ffmpeg import FfmpegMedia
from facecli.media.find import find_ffmpeg
from tests.hostile.materials import Materials
from tests.hostile.tripwires import Tripwires
from tests.unit.rpc.conftest import Stubs

WANTED = os.environ.get("TEST_FFMPEG")
ENGINE = os.environ.get("TEST_ENGINE", "mock")


@pytest.fixture(scope="session")
def media() -> FfmpegMedia:
    return FfmpegMedia(wanted=WANTED)


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("server") / "data"


@pytest.fixture(scope="session")
def stubs(data: Path) -> Iterator[Stubs]:
    # As long as a hostile file may take on a busy machine, so that its own reason refuses it.
    settings = Settings(
        engine=ENGINE,
        bind="127.0.0.1:0",
        data_dir=str(data),
        workers=1,
        ffmpeg=WANTED or "",
        probe_timeout=240.0,
    )
    with run_server(settings) as server, grpc.insecure_channel(server.address) as channel:
        yield Stubs(channel)


@pytest.fixture(scope="session")
def victims(
    stubs: Stubs, data: Path, media: FfmpegMedia, tmp_path_factory: pytest.TempPathFactory
) -> list[Path]:
    """Make a video and a text beside the hostile files, and a video uploaded by another user."""
    folder = tmp_path_factory.mktemp("hostile")
    video, text = folder / "victim.mp4", folder / "victim.txt"
    media.make_clip(video, seconds=1, width=64, height=64)
    text.write_text("of another user\n" * 9)
    url = stubs.stored(video.read_bytes(), user="bob")
    (upload,) = (path for path in (data / "uploads" / url.split("/")[2]).iterdir() if path.is_file())
    return [video, text, upload]


@pytest.fixture(scope="session")
def tripwires(victims: list[Path]) -> Iterator[Tripwires]:
    with Tripwires(*victims) as tripwires:
        yield tripwires


@pytest.fixture(scope="session")
def materials(victims: list[Path], tripwires: Tripwires, media: FfmpegMedia) -> Materials:
    video, text, upload = victims
    folder = video.parent
    media.make_clip(folder / "clip.mp4", seconds=1, width=160, height=120)
    media.make_face(folder / "face.png")
    return Materials(
        ffmpeg=find_ffmpeg(WANTED),
        folder=folder,
        clip=(folder / "clip.mp4").read_bytes(),
        face=(folder / "face.png").read_bytes(),
        video=video,
        text=text,
        upload=upload,
        address=tripwires.address,
    )
