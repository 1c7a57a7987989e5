"""Checkpoints: finished files are reused by the next run, whole or not at all."""

import errno
from collections.abc import Callable
from pathlib import Path

import pytest

from facecli.core.errors import StorageFailed
from facecli.core.video.media import VideoPlan
from facecli.tasks.checkpoints.checkpoints import Checkpoints, PlanCheckpoints
from tests.support.builders import PLAN

NAMES = ("000000.mp4", "000001.mp4")


def unexpected() -> VideoPlan:
    raise AssertionError("the plan exists already")


def start_run(
    directory: Path, run: str, *, version: str = "1", make: Callable[[], VideoPlan] = lambda: PLAN
) -> PlanCheckpoints:
    work = Checkpoints(directory, run=run)
    work.prepare()
    return work.plan("plan.json", {"version": version}, make)


def writes(text: str) -> Callable[[Path], None]:
    return lambda path: (path.write_text(text), None)[1]


def fail_halfway(path: Path) -> None:
    path.write_text("partial")
    raise OSError(errno.EIO, "broken")


def names(directory: Path) -> set[str]:
    return {path.name for path in directory.rglob("*")}


def test_the_next_run_reuses_the_plan_and_finished_segments(tmp_path: Path) -> None:
    first = start_run(tmp_path, "a")
    segment = first.file(NAMES[0], writes("one"))
    second = start_run(tmp_path, "b", make=unexpected)
    assert second.plan == PLAN
    assert second.file(NAMES[0], fail_halfway) == segment
    assert segment.read_text() == "one"
    assert second.file(NAMES[1], writes("two")).read_text() == "two"


def test_progress_is_recorded_before_a_finished_segment_is_visible(tmp_path: Path) -> None:
    directories: list[str] = []

    def record() -> None:
        directories.extend(path.parent.name for path in tmp_path.rglob(NAMES[0]))

    work = Checkpoints(tmp_path, run="a", finishing=record)
    work.prepare()
    plan = work.plan("plan.json", {}, lambda: PLAN)
    segment = plan.file(NAMES[0], writes("one"))
    with pytest.raises(OSError, match="broken"):
        plan.file(NAMES[1], fail_halfway)
    assert directories == ["run-a"]  # once, and before the segment had its place
    assert segment.exists()


def test_checkpoints_of_another_recipe_are_neither_used_nor_deleted(tmp_path: Path) -> None:
    old = start_run(tmp_path, "a").file(NAMES[0], writes("old"))
    new = start_run(tmp_path, "b", version="2").file(NAMES[0], writes("new"))
    assert (old.read_text(), new.read_text()) == ("old", "new")


def test_a_partial_segment_is_not_a_checkpoint(tmp_path: Path) -> None:
    plan = start_run(tmp_path, "a")
    with pytest.raises(OSError, match="broken"):
        plan.file(NAMES[0], fail_halfway)
    assert "000000.mp4" in names(tmp_path / "run-a")
    assert start_run(tmp_path, "b").file(NAMES[0], writes("whole")).read_text() == "whole"
    assert "run-a" not in names(tmp_path)


def test_a_run_whose_partial_files_were_deleted_commits_nothing(tmp_path: Path) -> None:
    late = start_run(tmp_path, "a")

    def taken_over(path: Path) -> None:
        path.write_text("late")
        start_run(tmp_path, "b").file(NAMES[0], writes("theirs"))

    with pytest.raises(FileNotFoundError):
        late.file(NAMES[0], taken_over)
    assert next(tmp_path.rglob("000000.mp4")).read_text() == "theirs"


def test_trimming_keeps_finished_segments_and_deletes_partial_ones(tmp_path: Path) -> None:
    plan = start_run(tmp_path, "a")
    plan.file(NAMES[0], writes("one"))
    with pytest.raises(OSError, match="broken"):
        plan.file(NAMES[1], fail_halfway)
    Checkpoints(tmp_path, run="z").trim()
    assert {"plan.json", "000000.mp4"} < names(tmp_path)
    assert not names(tmp_path) & {"run-a", "000001.mp4"}


def test_trimming_deletes_a_directory_without_finished_segments(tmp_path: Path) -> None:
    directory = tmp_path / "task"
    start_run(directory, "a")
    Checkpoints(directory, run="z").trim()
    assert not directory.exists()


def test_a_run_discards_only_its_own_partial_files(tmp_path: Path) -> None:
    work = Checkpoints(tmp_path, run="a")
    work.prepare()
    (tmp_path / "run-b").mkdir()
    work.discard_partial()
    assert names(tmp_path) == {"run-b"}


def test_a_plan_that_cannot_be_written_is_a_storage_failure(tmp_path: Path) -> None:
    def in_its_way() -> VideoPlan:
        (tmp_path / "run-a" / "plan.json").mkdir()
        return PLAN

    with pytest.raises(StorageFailed, match="cannot be written"):
        start_run(tmp_path, "a", make=in_its_way)


@pytest.mark.parametrize("damage", [b"onf", b"", b"one more"])
def test_a_damaged_segment_is_made_again(tmp_path: Path, damage: bytes) -> None:
    start_run(tmp_path, "a").file(NAMES[0], writes("one")).write_bytes(damage)
    assert start_run(tmp_path, "b").file(NAMES[0], writes("new")).read_text() == "new"


def test_a_segment_without_a_checksum_is_made_again(tmp_path: Path) -> None:
    segment = start_run(tmp_path, "a").file(NAMES[0], writes("one"))
    segment.with_name(f"{segment.name}.crc32c").unlink()
    assert start_run(tmp_path, "b").file(NAMES[0], writes("new")).read_text() == "new"


@pytest.mark.parametrize("damage", ["{}", "", "nonsense"])
def test_a_damaged_plan_is_made_again(tmp_path: Path, damage: str) -> None:
    start_run(tmp_path, "a")
    next(tmp_path.rglob("plan.json")).write_text(damage)
    assert start_run(tmp_path, "b").plan == PLAN


def test_damage_within_a_run_is_refused_and_the_next_run_mends_it(tmp_path: Path) -> None:
    run = start_run(tmp_path, "a")
    segment = run.file(NAMES[0], writes("one"))
    run.check(segment)
    segment.write_text("onf")
    with pytest.raises(StorageFailed, match=r"000000\.mp4 was damaged on the disk"):
        run.check(segment)
    assert run.file(NAMES[0], writes("new")).read_text() == "new"
