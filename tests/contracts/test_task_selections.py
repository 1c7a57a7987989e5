"""The contract of every TaskFeed and TaskRepository for selections of tasks."""

from queue import SimpleQueue

import pytest

from facecli.tasks import selection as selections
from facecli.tasks import transitions
from facecli.tasks.feed import TaskFeed
from facecli.tasks.repository import TaskRepository
from facecli.tasks.selection import TaskSelection, TaskSnapshot, TaskState
from tests.support.builders import NEW

DEADLINE = 60.0  # seconds until a test gives up
OWNER = NEW.owner


def everything(*ids: str) -> TaskSelection:
    return TaskSelection(owner=OWNER, ids=frozenset(ids), all=True)


def named(*ids: str, owner: str = OWNER) -> TaskSelection:
    return TaskSelection(owner=owner, ids=frozenset(ids), all=False)


@pytest.fixture
def three(task_repository: TaskRepository) -> TaskRepository:
    for number in (1, 2, 3):
        task_repository.insert(NEW, task_id=f"t{number}", now=100.0 + number)
    return task_repository


def test_named_tasks_of_another_owner_do_not_exist(three: TaskRepository) -> None:
    assert three.states(named("t1", "nope")) == {"t1": TaskState(1, False)}
    assert three.states(named("t1", owner="another")) == {}
    assert [task.id for task in three.several(["t1", "nope"], owner=OWNER)] == ["t1"]
    assert three.several(["t1"], owner="another") == []


def test_all_are_the_newest_those_that_have_not_ended_and_the_named_ones(
    three: TaskRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    for task_id in ("t2", "t3"):
        three.change(task_id, transitions.cancel, now=110.0)
    three.insert(NEW, task_id="t4", now=104.0)
    monkeypatch.setattr("facecli.metadata.tasks.NEWEST", 1)
    assert list(three.states(everything())) == ["t4", "t1"]
    assert three.states(everything("t2"))["t2"] == TaskState(2, True)
    assert selections.NEWEST == 1000


def test_creations_changes_retries_and_deletions_are_delivered(three: TaskRepository, feed: TaskFeed) -> None:
    delivered = SimpleQueue[TaskSnapshot]()
    leave = feed.watch_selection(everything(), delivered.put)
    assert set(delivered.get_nowait().states) == {"t1", "t2", "t3"}
    cancelled = three.change("t1", transitions.cancel, now=105.0)
    assert delivered.get(timeout=DEADLINE).tasks == {"t1": cancelled}
    three.insert(NEW, task_id="t4", now=106.0)
    assert "t4" in delivered.get(timeout=DEADLINE).states
    three.change("t1", transitions.retry, now=107.0)
    assert delivered.get(timeout=DEADLINE).states["t1"] == TaskState(3, False)
    ended = three.change("t1", transitions.cancel, now=108.0)
    assert delivered.get(timeout=DEADLINE).states["t1"].ended
    assert three.delete("t1", revision=ended.revision)
    assert set(delivered.get(timeout=DEADLINE).states) == {"t2", "t3", "t4"}
    leave()
    three.change("t2", transitions.cancel, now=109.0)
    late = SimpleQueue[TaskSnapshot]()
    feed.watch_selection(everything(), late.put)()
    assert late.get_nowait().states["t2"].ended
    assert delivered.empty()
