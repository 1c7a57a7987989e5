"""The changes of several tasks: each is sent once, at its newest state."""

from collections.abc import Collection, Sequence
from dataclasses import replace

import pytest

from facecli.api.task_changes import BATCH, MAX_NAMED, TaskChanges, TaskUpdate
from facecli.core.errors import InvalidInput, TaskNotFound
from facecli.tasks.selection import TaskSnapshot, TaskState
from facecli.tasks.task import Task, TaskStatus
from tests.support.builders import task_in


def task(task_id: str, revision: int, status: TaskStatus = TaskStatus.PROCESSING) -> Task:
    return replace(task_in(status), id=task_id, revision=revision)


class Tasks:
    """The tasks of one owner, and the IDs that were read."""

    def __init__(self, *tasks: Task) -> None:
        self.reads: list[Collection[str]] = []
        self.put(*tasks)

    def put(self, *tasks: Task) -> None:
        self.rows = {each.id: each for each in tasks}

    def read(self, ids: Collection[str], *, owner: str) -> Sequence[Task]:
        self.reads.append(ids)
        return [self.rows[each] for each in ids if each in self.rows]

    def snapshot(self, *ids: str) -> TaskSnapshot:
        """The states of these tasks, or of all."""
        rows = [self.rows[each] for each in ids] if ids else self.rows.values()
        return TaskSnapshot(states={each.id: TaskState(each.revision, each.ended) for each in rows})

    def watched(self, *, all: bool = False, **revisions: int) -> TaskChanges:
        return TaskChanges(revisions, owner="ann", all=all, read=self.read)


def received(update: TaskUpdate) -> list[tuple[str, int]]:
    return [(each.id, each.revision) for each in update.tasks]


def test_only_revisions_that_the_client_has_not_seen_are_sent() -> None:
    tasks = Tasks(task("a", 3), task("b", 5))
    changes = tasks.watched(a=3, b=4)
    assert received(changes.next(tasks.snapshot())) == [("b", 5)]
    assert changes.next(tasks.snapshot()).empty


def test_a_slow_client_receives_the_newest_state_of_each_task() -> None:
    tasks = Tasks(task("a", 1), task("b", 1))
    changes, old = tasks.watched(a=0, b=0), tasks.snapshot()
    tasks.put(task("a", 7), task("b", 9))
    assert received(changes.next(old)) == [("a", 7), ("b", 9)]
    assert changes.next(tasks.snapshot()).empty


def test_many_tasks_are_sent_in_several_messages_the_last_of_which_is_up_to_date() -> None:
    tasks = Tasks(*(task(f"t{number}", 1) for number in range(BATCH + 1)))
    changes = tasks.watched(all=True)
    first, second = changes.next(tasks.snapshot()), changes.next(tasks.snapshot())
    assert (len(first.tasks), first.up_to_date) == (BATCH, False)
    assert (len(second.tasks), second.up_to_date) == (1, True)
    assert len({each.id for each in (*first.tasks, *second.tasks)}) == BATCH + 1


def test_a_stream_of_many_ended_tasks_ends_with_the_last_message() -> None:
    ended = [task(f"t{number}", 2, TaskStatus.COMPLETED) for number in range(BATCH + 1)]
    tasks = Tasks(*ended)
    changes = TaskChanges({each.id: 1 for each in ended}, owner="ann", all=False, read=tasks.read)
    first, second = changes.next(tasks.snapshot()), changes.next(tasks.snapshot())
    assert (len(first.tasks), first.last) == (BATCH, False)
    assert (len(second.tasks), second.last) == (1, True)


def test_a_deleted_task_is_reported_once() -> None:
    tasks = Tasks(task("a", 3, TaskStatus.COMPLETED), task("b", 1))
    changes = tasks.watched(a=3, b=1)
    changes.next(tasks.snapshot())
    tasks.put(task("b", 1))
    assert changes.next(tasks.snapshot()).deleted == ["a"]
    assert changes.next(tasks.snapshot()).empty


def test_a_task_deleted_after_the_snapshot_is_reported_with_the_next_one() -> None:
    tasks = Tasks(task("a", 3), task("b", 1))
    changes, old = tasks.watched(a=2, b=1), tasks.snapshot()
    tasks.put(task("b", 1))
    assert changes.next(old).empty
    assert changes.next(tasks.snapshot()).deleted == ["a"]


def test_a_task_that_is_no_longer_among_the_newest_is_not_reported_as_deleted() -> None:
    tasks = Tasks(task("a", 2), task("b", 1))
    changes = tasks.watched(all=True)
    changes.next(tasks.snapshot())
    update = changes.next(tasks.snapshot("b"))
    assert update.empty
    assert changes.next(tasks.snapshot("b")).empty


def test_the_end_of_all_named_tasks_is_the_end_unless_all_are_watched() -> None:
    tasks = Tasks(task("a", 3, TaskStatus.FAILED), task("b", 4))
    named, everything = tasks.watched(a=0, b=0), tasks.watched(all=True)
    assert not named.next(tasks.snapshot()).last
    tasks.put(task("a", 3, TaskStatus.FAILED), task("b", 5, TaskStatus.COMPLETED))
    update = named.next(tasks.snapshot())
    assert (received(update), update.last) == ([("b", 5)], True)
    assert not everything.next(tasks.snapshot()).last


def test_a_resumed_stream_of_ended_or_deleted_tasks_ends_at_once() -> None:
    tasks = Tasks(task("a", 3, TaskStatus.COMPLETED))
    update = tasks.watched(a=3, b=7).next(tasks.snapshot())
    assert (received(update), update.deleted, update.last) == ([], ["b"], True)


def test_a_task_that_is_retried_is_not_ended() -> None:
    tasks = Tasks(task("a", 3, TaskStatus.FAILED), task("b", 1))
    changes = tasks.watched(a=0, b=0)
    changes.next(tasks.snapshot())
    tasks.put(task("a", 4, TaskStatus.PENDING), task("b", 2, TaskStatus.COMPLETED))
    assert not changes.next(tasks.snapshot()).last


def test_tasks_that_the_feed_has_read_are_not_read_again() -> None:
    tasks = Tasks(task("a", 3), task("b", 1))
    snapshot = replace(tasks.snapshot(), tasks={"a": task("a", 3)})
    assert received(tasks.watched(a=2, b=1).next(snapshot)) == [("a", 3)]
    assert tasks.reads == []


def test_an_unknown_task_is_refused_unless_the_client_has_seen_it() -> None:
    tasks = Tasks(task("a", 3))
    tasks.watched(a=0, b=1).check(tasks.snapshot())
    with pytest.raises(TaskNotFound, match="there is no task b"):
        tasks.watched(a=0, b=0).check(tasks.snapshot())


def test_the_number_of_named_tasks_is_limited() -> None:
    with pytest.raises(InvalidInput, match="at most 10000 named tasks, not 10001"):
        TaskChanges(
            {f"t{number}": 1 for number in range(MAX_NAMED + 1)}, owner="ann", all=False, read=Tasks().read
        )
