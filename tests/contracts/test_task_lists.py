"""The contract of every TaskRepository for lists."""

from dataclasses import replace

import pytest

from facecli.core.errors import InvalidInput
from facecli.tasks import transitions
from facecli.tasks.repository import TaskRepository
from facecli.tasks.task import TaskFilter, TaskStatus
from tests.support.builders import NEW, claim


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (TaskFilter(engine="other"), ["t3", "t1"]),
        (TaskFilter(engine="none"), []),
        (TaskFilter(since=102.0), ["t3", "t2"]),
        (TaskFilter(until=102.0), ["t1", "t0"]),
        (TaskFilter(since=101.0, until=103.0), ["t2", "t1"]),
        (TaskFilter(since=101.0, until=103.0, engine="other"), ["t1"]),
        (TaskFilter(since=101.0, status="cancelled"), ["t2"]),
    ],
)
def test_a_list_can_be_filtered_by_engine_and_time(
    task_repository: TaskRepository, wanted: TaskFilter, found: list[str]
) -> None:
    for number in range(4):
        new = replace(NEW, engine="other") if number % 2 else NEW
        task_repository.insert(new, task_id=f"t{number}", now=100.0 + number)
    task_repository.change("t2", transitions.cancel, now=200.0)
    assert [task.id for task in task_repository.listed("ann", wanted, limit=9, before="")] == found


def test_pages_are_sorted_newest_first(task_repository: TaskRepository) -> None:
    for number in range(5):
        task_repository.insert(NEW, task_id=f"t{number}", now=100 + number // 2)
    task_repository.insert(replace(NEW, owner="bob"), task_id="bobs", now=100)
    first = task_repository.listed("ann", TaskFilter(), limit=3, before="")
    second = task_repository.listed("ann", TaskFilter(), limit=3, before=first[-1].id)
    assert [task.id for task in (*first, *second)] == ["t4", "t3", "t2", "t1", "t0"]


def test_a_list_can_be_filtered_by_status(task_repository: TaskRepository) -> None:
    for number in range(4):
        task_repository.insert(NEW, task_id=f"t{number}", now=100.0 + number)
    claim(task_repository, "t2")
    pending = TaskFilter(status=TaskStatus.PENDING)
    assert [task.id for task in task_repository.listed("ann", pending, limit=9, before="t2")] == ["t1", "t0"]
    assert [task.id for task in task_repository.listed("ann", pending, limit=2, before="")] == ["t3", "t1"]


@pytest.mark.parametrize("before", ["bobs", "nope"])
def test_a_page_after_an_unknown_task_is_refused(task_repository: TaskRepository, before: str) -> None:
    task_repository.insert(replace(NEW, owner="bob"), task_id="bobs", now=100)
    with pytest.raises(InvalidInput):
        task_repository.listed("ann", TaskFilter(), limit=2, before=before)
