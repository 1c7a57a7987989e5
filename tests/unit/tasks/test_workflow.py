"""The workflow: fencing of runs, reuse of checkpoints, failures, and progress."""

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from facecli.blobs.local.store import LocalBlobs
from facecli.core.blobs import PartLayout
from facecli.core.errors import Cancelled, DiskFull, FacecliError, StorageFailed, TakenOver, Unavailable
from facecli.core.events import EventBus
from facecli.core.video.engines import SwapJob
from facecli.core.video.media import VideoPlan
from facecli.tasks import claims
from facecli.tasks.claims import Claim
from facecli.tasks.steps.run import Tools
from facecli.tasks.store import TaskStore
from facecli.tasks.task import Task, TaskStatus
from facecli.tasks.time_limits import AttemptLimits
from facecli.tasks.workflow import STEPS, TaskWorkflow
from tests.support.builders import PLAN, task

TASK = task(id="t", engine="fake", image_id="face", video_id="clip")


class Rows:
    """A repository of one task, which records the stages."""

    def __init__(self) -> None:
        self.task = TASK
        self.stages: list[tuple[str, int]] = []

    def get(self, task_id: str) -> Task:
        return self.task

    def change(self, task_id: str, change: Callable[[Task], Task], *, now: float) -> Task:
        self.task = change(self.task)
        self.stages.append((self.task.stage, self.task.progress))
        return self.task


class PlainMedia:
    """Media in which a video is a text: one character a frame."""

    def version(self) -> str:
        return "1"

    def plan(self, path: Path) -> VideoPlan:
        return PLAN

    def count_frames(self, path: Path) -> int:
        return len(path.read_text())

    def count_decodable(self, *video: object) -> int:
        return 1

    def extract_sound(self, video: Path, info: object, output: Path, **more: object) -> list[str]:
        output.write_text("")
        return ["the sound is left out"]

    def join(self, *, parts: list[Path], output: Path, **more: object) -> None:
        output.write_text("".join(part.read_text() for part in parts))


class PlainEngine:
    name, version, needs = "fake", "1", ()

    def __init__(self) -> None:
        self.swapped: list[int] = []
        self.then: list[Callable[[], None]] = []  # happens after each segment
        self.written = "{}"

    def get(self, name: str) -> "PlainEngine":
        return self

    def swap(self, swap: SwapJob, *, progress: Callable[[int], None], **more: object) -> None:
        self.swapped.append(swap.segment.index)
        progress(swap.segment.frames)
        swap.output.write_text(self.written.format(swap.segment.index))
        if self.then:
            self.then.pop(0)()


class Uploads:
    """A repository of one upload, used as face and as video."""

    def __init__(self) -> None:
        self.completed = True

    def get(self, upload_id: str) -> "Uploads":
        return self

    name = "clip.mp4"
    blob_key = "uploads/clip"


@pytest.fixture
def rows() -> Rows:
    return Rows()


@pytest.fixture
def engine() -> PlainEngine:
    return PlainEngine()


@pytest.fixture
def uploads() -> Uploads:
    return Uploads()


@pytest.fixture
def delivery(
    tmp_path: Path, rows: Rows, engine: PlainEngine, uploads: Uploads
) -> Callable[[str], Callable[[], None]]:
    """Make a function that runs the task for a worker, once per call, under one claim."""
    blobs = LocalBlobs(tmp_path)
    blobs.begin("uploads/clip", PartLayout(part_size=1, count=1, size=None)).close()
    repository: Any = rows
    fakes: Any = {"uploads": uploads, "media": PlainMedia(), "engines": engine}
    workflow = TaskWorkflow(
        Tools(tasks=TaskStore(repository, clock=time.time, events=EventBus()), blobs=blobs, **fakes),
        workspace=tmp_path / "work",
        limits=AttemptLimits(task=0, segment=0, max_crashes=5),
    )
    return lambda name: partial(workflow.run, "t", Claim(worker=name))


def result(tmp_path: Path, rows: Rows) -> str:
    (only,) = [path for path in (tmp_path / "outputs").rglob("*") if path.is_file()]
    assert rows.task.result
    assert rows.task.result.blob_key in str(only)
    return only.read_text()


def test_a_run_that_lost_its_task_stops_and_the_other_completes_once(
    tmp_path: Path, rows: Rows, engine: PlainEngine, delivery: Callable[[str], Callable[[], None]]
) -> None:
    def dies_for_the_others() -> None:
        rows.task = claims.release(rows.task, run=rows.task.run)
        delivery("two")()

    engine.then = [lambda: None, dies_for_the_others]
    delivery("one")()
    assert engine.swapped == [0, 1, 1]  # the other found the first segment finished
    assert (rows.task.status, rows.task.attempt) == (TaskStatus.COMPLETED, 2)
    assert result(tmp_path, rows) == "01"
    assert not (tmp_path / "work" / "t").exists()


def test_watchers_see_the_stages_in_order_with_their_percentages(
    rows: Rows, delivery: Callable[[str], Callable[[], None]]
) -> None:
    delivery("one")()
    assert rows.stages == [
        ("starting", 0),
        ("extracting", 1),
        ("extracting", 1),  # with its notes
        ("swapping", 48),
        ("swapping", 94),
        ("joining", 95),
        ("publishing", 97),
        ("", 100),
    ]


def raises(error: Exception) -> None:
    raise error


def test_the_run_after_a_failure_swaps_only_the_rest(
    tmp_path: Path, rows: Rows, engine: PlainEngine, delivery: Callable[[str], Callable[[], None]]
) -> None:
    engine.then = [lambda: None, partial(raises, Unavailable("away"))]
    run = delivery("one")
    with pytest.raises(Unavailable):
        run()
    run()
    assert engine.swapped == [0, 1, 1]
    assert result(tmp_path, rows) == "01"


def test_another_engine_version_swaps_every_segment_again(
    tmp_path: Path, rows: Rows, engine: PlainEngine, delivery: Callable[[str], Callable[[], None]]
) -> None:
    engine.then = [lambda: None, partial(raises, Unavailable("away"))]
    run = delivery("one")
    with pytest.raises(Unavailable):
        run()
    engine.version = "2"
    run()
    assert engine.swapped == [0, 1, 0, 1]


def test_an_engine_that_writes_the_wrong_frames_fails_the_task(
    rows: Rows, engine: PlainEngine, delivery: Callable[[str], Callable[[], None]]
) -> None:
    engine.written = "too many"
    delivery("one")()
    assert rows.task.status is TaskStatus.FAILED
    assert rows.task.error_message == "engine fake wrote 8 frames for segment 0, which has 1"


def test_a_task_with_an_incomplete_upload_fails(
    rows: Rows, engine: PlainEngine, uploads: Uploads, delivery: Callable[[str], Callable[[], None]]
) -> None:
    uploads.completed = False
    delivery("one")()
    assert (rows.task.status, rows.task.error_reason) == (TaskStatus.FAILED, "UPLOAD_UNFINISHED")
    assert engine.swapped == []


@pytest.mark.parametrize("error", [Cancelled(), TakenOver("odd")])
def test_an_engine_that_stops_unasked_fails_the_task(
    rows: Rows, engine: PlainEngine, delivery: Callable[[str], Callable[[], None]], error: FacecliError
) -> None:
    engine.then = [partial(raises, error)]
    delivery("one")()
    assert rows.task.status is TaskStatus.FAILED
    assert rows.task.error_message == f"engine fake stopped by itself: {error}"


def test_a_full_disk_leaves_no_partial_file_and_the_next_run_continues(
    tmp_path: Path, rows: Rows, engine: PlainEngine, delivery: Callable[[str], Callable[[], None]]
) -> None:
    engine.then = [lambda: None, partial(raises, DiskFull())]
    run = delivery("one")
    with pytest.raises(DiskFull):
        run()
    assert rows.task.status is TaskStatus.PROCESSING
    assert {path.name for path in (tmp_path / "work").rglob("*.mp4")} == {"000000.mp4", "sound.mp4"}
    run()
    assert engine.swapped == [0, 1, 1]
    assert result(tmp_path, rows) == "01"


def test_the_checkpoints_of_all_steps_survive_a_failed_publication(
    tmp_path: Path, delivery: Callable[[str], Callable[[], None]]
) -> None:
    (tmp_path / "outputs").write_text("a file in place of the directory")
    with pytest.raises(StorageFailed):
        delivery("one")()
    files = sorted(path.name for path in (tmp_path / "work").rglob("*") if path.is_file())
    assert files == sorted(
        step.checkpoint.format(index=index)
        for step in STEPS
        if step.checkpoint
        for index in range(len(PLAN.segments) if "{index" in step.checkpoint else 1)
    )
