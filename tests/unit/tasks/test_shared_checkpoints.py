"""Copies of checkpoints in a bucket: a worker of another machine goes on from them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from facecli.blobs.file_cache import FileCache
from facecli.blobs.local.store import LocalBlobs
from facecli.core.errors import StorageFailed
from facecli.core.video.media import VideoPlan
from facecli.tasks.checkpoints.checkpoints import Checkpoints, PlanCheckpoints
from facecli.tasks.checkpoints.shared import SharedCheckpoints
from tests.support.blobs.s3_servers import S3Server
from tests.support.builders import PLAN


class Machines:
    """Machines that share a bucket; each has a directory of its own."""

    def __init__(self, directory: Path, server: S3Server) -> None:
        from facecli.blobs.s3.store import S3Blobs

        self._directory = directory
        self.blobs = S3Blobs(server.bucket(), FileCache(directory / "cache", limit=1000), min_part=1)

    def checkpoints(self, name: str) -> Checkpoints:
        work = Checkpoints(self._directory / name, run=name, shared=SharedCheckpoints(self.blobs, "t1"))
        work.prepare()
        return work

    def plan(self, name: str, make: Callable[[], VideoPlan] = lambda: PLAN) -> PlanCheckpoints:
        return self.checkpoints(name).plan("plan.json", {"version": "1"}, make)


@pytest.fixture
def machines(tmp_path: Path, rclone: S3Server) -> Machines:
    return Machines(tmp_path, rclone)


def writes(text: str) -> Callable[[Path], None]:
    return lambda path: (path.write_text(text), None)[1]


def unexpected(*arguments: object) -> Any:
    raise AssertionError("it was made on another machine")


def test_another_machine_goes_on_from_the_copies(machines: Machines) -> None:
    first = machines.plan("one")
    first.store("000000.json", '{"faces": 1}')
    first.file("000000.mp4", writes("one"))
    first.file("joined.mp4", writes("joined"), shared=False)
    second = machines.plan("two", make=unexpected)
    assert second.plan == PLAN
    assert second.stored("000000.json") == '{"faces": 1}'
    assert second.file("000000.mp4", unexpected).read_text() == "one"
    assert second.file("joined.mp4", writes("joined again")).read_text() == "joined again"


def test_a_damaged_copy_is_made_again(machines: Machines, tmp_path: Path) -> None:
    machines.plan("one").file("000000.mp4", writes("one"))
    (key,) = (key for key in machines.blobs.list("work/t1") if "000000.mp4" in key)
    damaged = tmp_path / "damaged"
    damaged.write_text("onf")
    machines.blobs.put(key, damaged)
    assert machines.plan("two").file("000000.mp4", writes("two")).read_text() == "two"
    assert machines.plan("three", make=unexpected).file("000000.mp4", unexpected).read_text() == "two"


def test_the_end_of_a_task_deletes_the_copies(machines: Machines) -> None:
    machines.plan("one").file("000000.mp4", writes("one"))
    checkpoints = machines.checkpoints("one")
    checkpoints.trim()
    assert len(machines.blobs.list("work")) == 2
    checkpoints.delete()
    assert machines.blobs.list("work") == []


def test_a_bucket_that_is_away_costs_only_the_copies(
    machines: Machines, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def away(*arguments: object) -> None:
        raise StorageFailed("the bucket is away")

    plan = machines.plan("one")
    monkeypatch.setattr(machines.blobs, "put", away)
    assert plan.file("000000.mp4", writes("one")).read_text() == "one"
    assert "copy of a checkpoint not stored" in caplog.text
    assert not [path for path in plan.file("000000.mp4", unexpected).parent.iterdir() if "copy" in path.name]


def test_a_store_with_local_files_needs_no_copies(tmp_path: Path) -> None:
    shared = SharedCheckpoints(LocalBlobs(tmp_path / "data"), "t1")
    file = tmp_path / "000000.mp4"
    file.write_text("one")
    shared.store("recipe", file.name, file, 1)
    assert not shared.fetch("recipe", file.name, tmp_path / "copy")
    shared.delete()
    assert list((tmp_path / "data").iterdir()) == []
