"""A server in this process, files for its jobs, and a user for each test."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from facecli.client.connection import Connection
from facecli.media.ffmpeg import FfmpegMedia
from tests.support.cli import Ran, facecli
from tests.support.tasks.stand_in_worker import StandInWorker


@pytest.fixture(scope="module")
def media_files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two faces and two clips, which a server takes for what they are."""
    folder = tmp_path_factory.mktemp("media")
    media = FfmpegMedia()
    for name in ("a", "b"):
        media.make_face(folder / f"{name}.png")
    (folder / "b.png").write_bytes((folder / "b.png").read_bytes() + b"b")  # behind the picture's end
    media.make_clip(folder / "1.mp4", seconds=1, width=64, height=48)
    (folder / "2.mp4").write_bytes((folder / "1.mp4").read_bytes() + b"\0\0\0\x08free")
    return folder


@pytest.fixture
def worker(data: Path, connection: Connection) -> Iterator[StandInWorker]:
    with StandInWorker(data) as worker:
        yield worker


@pytest.fixture
def user(connection: Connection, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """A user of this test alone; commands act as this user."""
    monkeypatch.setenv("FACECLI_SERVER", connection.servers)
    monkeypatch.setenv("FACECLI_USER", request.node.name)
    name: str = request.node.name
    return name


def begin(*arguments: object) -> "Future[Ran]":
    """Run a command in a thread, and return at once."""
    return ThreadPoolExecutor(1).submit(facecli, *arguments)
