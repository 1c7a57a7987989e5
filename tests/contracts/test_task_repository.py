"""The contract of every TaskRepository."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial

import pytest

from facecli.core.errors import AlreadyExists, MediaRefused, TaskEnded, TaskNotFound
from facecli.core.video.figures import SwapFigures
from facecli.tasks import transitions
from facecli.tasks.repository import TaskRepository
from facecli.tasks.task import Result, Task, TaskStatus
from facecli.uploads.repository import UploadRepository
from tests.support.builders import NEW, claim
from tests.support.builders import task as some_task


def test_a_new_task_is_pending_with_the_requested_values(task_repository: TaskRepository) -> None:
    task = task_repository.insert(NEW, task_id="t1", now=100.0)
    assert task == some_task(options={"speed": "2"}, created_at=100.0, updated_at=100.0)
    assert task_repository.get("t1") == task


def test_an_unknown_id_is_named(task_repository: TaskRepository) -> None:
    with pytest.raises(TaskNotFound, match="there is no task nope"):
        task_repository.get("nope")
    with pytest.raises(TaskNotFound, match="there is no task nope"):
        task_repository.change("nope", transitions.cancel, now=1)


def test_a_task_is_visible_to_its_owner_only(task_repository: TaskRepository) -> None:
    task = task_repository.insert(NEW, task_id="t1", now=100.0)
    assert task_repository.get("t1", owner=task.owner) == task
    for other in ("bob", ""):
        with pytest.raises(TaskNotFound, match="there is no task t1"):
            task_repository.get("t1", owner=other)


def test_an_idempotency_key_returns_the_same_task(task_repository: TaskRepository) -> None:
    keyed = replace(NEW, key="k")
    task = task_repository.insert(keyed, task_id="t1", now=100.0)
    assert task_repository.insert(replace(keyed, engine="other"), task_id="t2", now=101.0) == task
    assert task_repository.insert(replace(keyed, owner="bob"), task_id="t3", now=102.0).id == "t3"
    assert task_repository.insert(NEW, task_id="t4", now=103.0).id == "t4"
    assert task_repository.insert(NEW, task_id="t5", now=104.0).id == "t5"


def test_figures_are_stored_and_replaced(task_repository: TaskRepository) -> None:
    task_repository.insert(NEW, task_id="t1", now=100.0)
    claim(task_repository)
    for figures in (SwapFigures(swapped=3, people=2), SwapFigures(swapped=9, turned_away=1), None):
        count = partial(transitions.count, run="r1", figures=figures)
        task_repository.change("t1", count, now=102.0)
        assert task_repository.get("t1").figures == figures


def test_a_task_id_is_unique(task_repository: TaskRepository) -> None:
    task_repository.insert(NEW, task_id="t1", now=100.0)
    with pytest.raises(AlreadyExists):
        task_repository.insert(NEW, task_id="t1", now=101.0)


def test_concurrent_creates_with_one_key_make_one_task(
    open_repositories: Callable[[], tuple[UploadRepository, TaskRepository]],
) -> None:
    processes = [open_repositories()[1], open_repositories()[1]]
    start = threading.Barrier(8)

    def create(worker: int) -> Task:
        start.wait()
        return processes[worker % 2].insert(replace(NEW, key="k"), task_id=f"t{worker}", now=100.0)

    with ThreadPoolExecutor(8) as pool:
        assert len({task.id for task in pool.map(create, range(8))}) == 1


def test_a_change_is_stored_with_the_next_revision(task_repository: TaskRepository) -> None:
    task = task_repository.insert(NEW, task_id="t1", now=100.0)
    changed = claim(task_repository)
    claimed = transitions.claim(task, run="r1", worker="w1")
    assert changed == replace(claimed, revision=2, updated_at=101.0, turn=1)
    assert task_repository.get("t1") == changed


def test_a_change_without_effect_is_not_written(task_repository: TaskRepository) -> None:
    task = task_repository.insert(NEW, task_id="t1", now=100.0)
    assert task_repository.change("t1", lambda same: same, now=200.0) == task
    assert task_repository.get("t1") == task


def test_a_refused_change_leaves_the_task_unchanged(task_repository: TaskRepository) -> None:
    task_repository.insert(NEW, task_id="t1", now=100.0)
    task = task_repository.change("t1", transitions.cancel, now=101.0)
    with pytest.raises(TaskEnded):
        task_repository.change("t1", transitions.cancel, now=102.0)
    assert task_repository.get("t1") == task


def test_frame_counts_are_stored(task_repository: TaskRepository) -> None:
    task_repository.insert(NEW, task_id="t1", now=100.0)
    claim(task_repository)
    change = partial(
        transitions.advance, run="r1", progress=40, stage="swapping", frames_done=100, frames=250
    )
    task = task_repository.change("t1", change, now=102.0)
    assert (task.frames_done, task.frames) == (100, 250)
    assert task_repository.get("t1") == task


def test_a_result_is_stored(task_repository: TaskRepository) -> None:
    task_repository.insert(NEW, task_id="t1", now=100.0)
    claim(task_repository)
    result = Result(blob_key="outputs/t1/r1", size=2**40, crc32c=2**32 - 1)
    task = task_repository.change("t1", partial(transitions.complete, run="r1", result=result), now=102.0)
    assert task.result == task_repository.get("t1").result == result
    assert task.result_url == "/outputs/t1/clip%201.mp4"


def test_a_failure_is_stored_until_the_retry(task_repository: TaskRepository) -> None:
    task_repository.insert(NEW, task_id="t1", now=100.0)
    claim(task_repository)
    refused = MediaRefused("no frames")
    task = task_repository.change("t1", partial(transitions.fail, run="r1", error=refused), now=102.0)
    assert (task.error_reason, task.error_message) == ("MEDIA_REFUSED", "no frames")
    again = task_repository.change("t1", transitions.retry, now=103.0)
    assert (again.status, again.round, again.error_reason) == (TaskStatus.PENDING, 2, "")


def test_concurrent_changes_are_all_applied(
    open_repositories: Callable[[], tuple[UploadRepository, TaskRepository]],
) -> None:
    processes = [open_repositories()[1], open_repositories()[1]]
    processes[0].insert(NEW, task_id="t1", now=100.0)
    start = threading.Barrier(8)

    def attempt(worker: int) -> None:
        start.wait()
        for _ in range(5):
            processes[worker % 2].change("t1", lambda task: replace(task, attempt=task.attempt + 1), now=101)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(attempt, range(8)))
    task = processes[0].get("t1")
    assert (task.attempt, task.revision) == (40, 41)


def test_tasks_of_a_status_are_listed_oldest_first(task_repository: TaskRepository) -> None:
    for number in range(3):
        task_repository.insert(NEW, task_id=f"t{number}", now=100.0 - number)
    claim(task_repository, "t1")
    assert [task.id for task in task_repository.with_status(TaskStatus.PENDING)] == ["t2", "t0"]
    assert [task.id for task in task_repository.with_status(TaskStatus.PROCESSING)] == ["t1"]
    assert task_repository.with_status(TaskStatus.FAILED) == []


def test_only_tasks_above_their_revision_are_newer(task_repository: TaskRepository) -> None:
    for number in range(3):
        task_repository.insert(NEW, task_id=f"t{number}", now=100.0)
    claimed = claim(task_repository, "t1")
    assert task_repository.newer({"t0": 1, "t1": 1, "t2": 7, "nope": 0}) == [claimed]
    assert {task.id for task in task_repository.newer({"t0": 0, "t1": 2})} == {"t0"}
    assert task_repository.newer({}) == []


def test_thousands_of_revisions_can_be_queried_at_once(task_repository: TaskRepository) -> None:
    task = task_repository.insert(NEW, task_id="t1", now=100.0)
    assert task_repository.newer({**{f"x{number}": 0 for number in range(40_000)}, "t1": 0}) == [task]
