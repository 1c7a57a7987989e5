"""The workflow: fencing of runs, reuse of checkpoints, failures, and progress."""

from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from facecli.core.errors import (
    Cancelled,
    DiskFull,
    FacecliError,
    MediaRefused,
    ProgramKilled,
    StorageFailed,
    TakenOver,
    Unavailable,
)
from facecli.tasks import claims, transitions
from facecli.tasks.logs.run_log import FLUSH_INTERVAL, RunLog
from facecli.tasks.task import TaskStatus
from facecli.tasks.workflow import STEPS
from tests.support.builders import PLAN
from tests.support.storage import Clock
from tests.support.tasks.logs import MemoryTaskLogs
from tests.unit.tasks.conftest import (
    LABELS,
    MAX_CRASHES,
    Delivery,
    PlainEngine,
    PlainMedia,
    Rows,
    Uploads,
    raises,
    result,
)


def test_a_run_that_lost_its_task_stops_and_the_other_completes_once(
    tmp_path: Path, rows: Rows, engine: PlainEngine, delivery: Delivery
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


def test_watchers_see_the_stages_in_order_with_their_percentages(rows: Rows, delivery: Delivery) -> None:
    delivery("one")()
    assert rows.stages == [
        ("starting", 0),
        ("extracting", 1),
        ("extracting", 1),  # with its notes
        ("swapping", 48),
        ("swapping", 94),
        ("joining", 95),
        ("comparing", 97),
        ("publishing", 98),
        ("", 100),
    ]


def test_the_run_after_a_failure_swaps_only_the_rest(
    tmp_path: Path, rows: Rows, engine: PlainEngine, delivery: Delivery
) -> None:
    engine.then = [lambda: None, partial(raises, Unavailable("away"))]
    run = delivery("one")
    with pytest.raises(Unavailable):
        run()
    run()
    assert engine.swapped == [0, 1, 1]
    assert result(tmp_path, rows) == "01"


def test_another_engine_version_swaps_every_segment_again(
    tmp_path: Path, rows: Rows, engine: PlainEngine, delivery: Delivery
) -> None:
    engine.then = [lambda: None, partial(raises, Unavailable("away"))]
    run = delivery("one")
    with pytest.raises(Unavailable):
        run()
    engine.version = "2"
    run()
    assert engine.swapped == [0, 1, 0, 1]


def test_an_engine_that_writes_the_wrong_frames_fails_the_task(
    rows: Rows, engine: PlainEngine, delivery: Delivery
) -> None:
    engine.written = "too many"
    delivery("one")()
    assert rows.task.status is TaskStatus.FAILED
    assert rows.task.error_message == "engine fake wrote 8 frames for segment 0, which has 1"


def test_a_task_with_an_incomplete_upload_fails(
    rows: Rows, engine: PlainEngine, uploads: Uploads, delivery: Delivery
) -> None:
    uploads.completed = False
    delivery("one")()
    assert (rows.task.status, rows.task.error_reason) == (TaskStatus.FAILED, "UPLOAD_UNFINISHED")
    assert engine.swapped == []


@pytest.mark.parametrize("error", [Cancelled(), TakenOver("odd")])
def test_an_engine_that_stops_unasked_fails_the_task(
    rows: Rows, engine: PlainEngine, delivery: Delivery, error: FacecliError
) -> None:
    engine.then = [partial(raises, error)]
    delivery("one")()
    assert rows.task.status is TaskStatus.FAILED
    assert rows.task.error_message == f"engine fake stopped by itself: {error}"


def test_a_full_disk_leaves_no_partial_file_and_the_next_run_continues(
    tmp_path: Path, rows: Rows, engine: PlainEngine, delivery: Delivery
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


def test_a_result_without_room_in_the_quota_fails_the_task_and_a_retry_publishes_it(
    tmp_path: Path, rows: Rows, engine: PlainEngine, delivery: Delivery
) -> None:
    rows.room = False
    delivery("one")()
    assert (rows.task.status, rows.task.error_reason) == (TaskStatus.FAILED, "QUOTA_REACHED")
    assert not [path for path in (tmp_path / "outputs").rglob("*") if path.is_file()]
    rows.room, rows.task = True, transitions.retry(rows.task)
    delivery("two")()
    assert rows.task.status is TaskStatus.COMPLETED
    assert engine.swapped == [0, 1], "the segments of the first attempt were kept"
    assert result(tmp_path, rows) == "01"


def test_the_checkpoints_of_all_steps_survive_a_failed_publication(
    tmp_path: Path, rows: Rows, media: PlainMedia, delivery: Delivery
) -> None:
    rows.task, media.signs = replace(rows.task, labels=LABELS), True
    (tmp_path / "outputs").write_text("a file in place of the directory")
    with pytest.raises(StorageFailed):
        delivery("one")()
    files = sorted(
        path.name for path in (tmp_path / "work").rglob("*") if path.is_file() and path.suffix != ".crc32c"
    )
    assert files == sorted(
        step.checkpoint.format(index=index)
        for step in STEPS
        if step.checkpoint
        for index in range(len(PLAN.segments) if "{index" in step.checkpoint else 1)
    )


def test_crashes_with_a_finished_segment_between_them_never_fail_a_task(
    tmp_path: Path, rows: Rows, engine: PlainEngine, delivery: Delivery
) -> None:
    crashes = [partial(raises, ProgramKilled("out of memory"))] * (MAX_CRASHES - 1)
    engine.then = [*crashes, lambda: None, *crashes]
    run = delivery("one")
    for _ in [*crashes, *crashes]:
        with pytest.raises(ProgramKilled):
            run()
    run()
    assert result(tmp_path, rows) == "01"


def test_crashes_at_one_segment_fail_a_task_that_finished_others(
    rows: Rows, engine: PlainEngine, delivery: Delivery
) -> None:
    engine.then = [lambda: None, *[partial(raises, ProgramKilled("out of memory"))] * MAX_CRASHES]
    run = delivery("one")
    for _ in range(MAX_CRASHES - 1):
        with pytest.raises(ProgramKilled):
            run()
    run()
    assert (rows.task.status, rows.task.error_message) == (TaskStatus.FAILED, "out of memory")
    assert engine.swapped == [0, *[1] * MAX_CRASHES]


def test_the_log_says_why_a_task_failed_before_it_ends(
    rows: Rows, engine: PlainEngine, delivery: Delivery, logs: MemoryTaskLogs
) -> None:
    engine.then = [partial(raises, MediaRefused("no face"))]
    delivery("one")()
    assert rows.task.status is TaskStatus.FAILED
    (text,) = logs.texts
    assert text.startswith("task failed: MediaRefused: no face (at tests.unit.tasks.conftest.raises:")


def test_the_log_of_a_completed_task_is_stored(
    rows: Rows, engine: PlainEngine, delivery: Delivery, logs: MemoryTaskLogs
) -> None:
    run = delivery("one")
    log: RunLog = run.args[-1]  # type: ignore[attr-defined]
    engine.then = [lambda: log.add(level="INFO", logger="engine", text="one face")]
    run()
    assert rows.task.status is TaskStatus.COMPLETED
    assert logs.texts == ["one face"]


def test_the_log_is_stored_with_a_checkpoint(
    engine: PlainEngine, delivery: Delivery, logs: MemoryTaskLogs, monotonic: Clock
) -> None:
    run = delivery("one")
    log: RunLog = run.args[-1]  # type: ignore[attr-defined]
    seen: list[str] = []

    def logs_a_face() -> None:
        log.add(level="INFO", logger="engine", text="one face")
        monotonic.now += FLUSH_INTERVAL

    def ends_before_any_report() -> None:
        seen.extend(logs.texts)

    engine.reports = False
    engine.then = [logs_a_face, ends_before_any_report]
    run()
    assert seen == ["one face"]


def test_the_log_has_each_crash(
    rows: Rows, engine: PlainEngine, delivery: Delivery, logs: MemoryTaskLogs
) -> None:
    engine.then = [partial(raises, ProgramKilled("ffmpeg was killed"))] * MAX_CRASHES
    run = delivery("one")
    for _ in range(MAX_CRASHES - 1):
        with pytest.raises(ProgramKilled):
            run()
    run()
    assert rows.task.status is TaskStatus.FAILED
    assert len(logs.texts) == MAX_CRASHES
    assert all(text.startswith("attempt failed: ProgramKilled: ffmpeg was killed") for text in logs.texts)
