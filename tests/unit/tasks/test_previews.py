"""Previews: the plan that an engine made for a video serves the next look at it."""

from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import pytest

from facecli.core.video.engines import PrepareJob, SwapJob
from facecli.tasks.previews.previews import Previews
from facecli.tasks.previews.request import PreviewRequest
from facecli.testing.fake_media import FakeMedia
from tests.support.builders import NEW

REQUEST = PreviewRequest(owner="ann", image_url="", video_url="", at=[0, 40_000])


class Files:
    """The inputs, the engines and the blobs of a preview in one: all are one file of 25 frames."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.prepared = 0
        self.plans: list[Any] = []

    def check_terms(self, terms: object) -> None: ...

    def checked(self, **request: object) -> object:
        return NEW

    def get(self, name: str) -> "Files":
        return self

    def local_copy(self, key: str, **stopped: object) -> AbstractContextManager[Path]:
        return nullcontext(self.path)

    def prepare(self, job: PrepareJob, **more: object) -> dict[str, int]:
        self.prepared += 1
        return {"people": self.prepared}

    def swap(self, job: SwapJob, **more: object) -> None:
        self.plans.append(job.plan)
        job.output.write_bytes(b".")


@pytest.fixture
def files(tmp_path: Path) -> Files:
    (tmp_path / "clip").write_bytes(b"." * 25)
    return Files(tmp_path / "clip")


def test_a_second_look_at_a_video_uses_the_plan_of_the_first(files: Files, tmp_path: Path) -> None:
    fakes: Any = files
    previews = Previews(
        inputs=fakes,
        uploads=fakes,
        blobs=fakes,
        media=FakeMedia(),
        engines=fakes,
        workspace=tmp_path / "work",
    )
    for _ in range(2):
        assert previews.make(REQUEST, active=lambda: True) == b"=="
    assert files.plans == [{"people": 1}] * 4
    assert files.prepared == 1
    assert list((tmp_path / "work").iterdir()) == []
