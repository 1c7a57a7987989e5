"""A shared server, a user per test, and sample files."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from facecli.media.ffmpeg import FfmpegMedia
from tests.support.cli import Server, facecli, run_server


@dataclass(frozen=True, slots=True, kw_only=True)
class Samples:
    """A face, and a small clip of one second."""

    face: Path
    clip: Path


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with run_server(tmp_path_factory.mktemp("cli") / "data") as running:
        yield running


@pytest.fixture
def user(server: Server, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """A user of this test alone; commands act as this user."""
    name = re.sub(r"\W+", "-", request.node.name)
    monkeypatch.setenv("FACECLI_SERVER", server.address)
    monkeypatch.setenv("FACECLI_USER", name)
    return name


@pytest.fixture(scope="session")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Samples:
    folder = tmp_path_factory.mktemp("samples")
    samples = Samples(face=folder / "face.png", clip=folder / "clip.mp4")
    media = FfmpegMedia()
    media.make_face(samples.face)
    media.make_clip(samples.clip, seconds=1, width=160, height=90)
    return samples


@pytest.fixture(scope="session")
def completed_once(server: Server, samples: Samples) -> str:
    ran = facecli(
        *("task", "create", "--image", samples.face, "--video", samples.clip, "--watch", "-q"),
        *("--server", server.address, "--user", "owner"),
    )
    assert ran.code == 0, ran.err
    return ran.lines[0]


@pytest.fixture
def completed(completed_once: str, user: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """ID of a completed task; commands then act as its owner."""
    monkeypatch.setenv("FACECLI_USER", "owner")
    return completed_once


@pytest.fixture
def slow(user: str, samples: Samples) -> Iterator[str]:
    """ID of a task that does not end by itself."""
    (task_id,) = slow_tasks(samples, 1)
    yield task_id
    facecli("task", "cancel", task_id)


def slow_tasks(samples: Samples, count: int) -> list[str]:
    """IDs of new tasks that do not end by themselves."""
    create = (
        "task",
        "create",
        "--image",
        samples.face,
        "--video",
        samples.clip,
        "-q",
        "--option",
        "delay=600",
    )
    created = [facecli(*create, "--option", f"seed={seed}") for seed in range(count)]
    assert all(task.code == 0 for task in created), created
    return [task.out.strip() for task in created]
