"""The task feed: one thread, only while there are watchers, through database outages."""

import logging
import threading
from collections.abc import Iterator
from uuid import uuid4

import pytest
from sqlalchemy import Engine

from facecli.metadata.feed import MAX_SHARED, SqlTaskFeed
from facecli.metadata.tasks import SqlTaskRepository
from facecli.tasks import transitions
from facecli.tasks.selection import TaskSelection, TaskSnapshot
from facecli.tasks.task import Task, TaskStatus
from tests.support.builders import NEW
from tests.support.tasks.feed import CountingRepository, ManualChanges

DEADLINE = 60.0  # seconds; when a test gives up, never how long something may take


@pytest.fixture
def repository(engine: Engine) -> CountingRepository:
    return CountingRepository(SqlTaskRepository(engine))


@pytest.fixture
def changes() -> ManualChanges:
    return ManualChanges()


@pytest.fixture
def feed(repository: CountingRepository, changes: ManualChanges) -> SqlTaskFeed:
    return SqlTaskFeed(repository, changes)


def feed_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "task-feed"]


@pytest.fixture(autouse=True)
def no_thread_is_left(changes: ManualChanges) -> Iterator[None]:
    for thread in feed_threads():  # of other tests
        thread.join(timeout=DEADLINE)
    yield
    for thread in feed_threads():
        changes.signal_without_waiting()
        thread.join(timeout=DEADLINE)
    assert not feed_threads()


def test_many_watchers_cost_one_thread_and_one_query_a_change(
    feed: SqlTaskFeed, repository: CountingRepository, changes: ManualChanges
) -> None:
    repository.insert(NEW, task_id="t1", now=100.0)
    seen: list[Task] = []
    for _ in range(200):
        feed.watch("t1", seen.append)
    changes.waiting.get(timeout=DEADLINE)
    assert len(feed_threads()) == 1
    changes.signal()  # for the watchers that came while it waited
    queries = len(repository.queries)
    changes.signal(False)
    assert len(repository.queries) == queries
    repository.change("t1", transitions.cancel, now=101.0)
    changes.signal_without_waiting()
    feed_threads()[0].join(timeout=DEADLINE)
    assert repository.queries[queries:] == [{"t1": 1}]
    assert [task.status for task in seen] == [TaskStatus.PENDING] * 200 + [TaskStatus.CANCELLED] * 200


def test_an_ended_task_starts_no_thread(feed: SqlTaskFeed, repository: CountingRepository) -> None:
    repository.insert(NEW, task_id="t1", now=100.0)
    repository.change("t1", transitions.cancel, now=101.0)
    feed.watch("t1", lambda task: None)
    assert repository.queries == []
    assert not feed_threads()


def test_the_thread_ends_with_the_last_watcher_and_restarts_with_the_next(
    feed: SqlTaskFeed, repository: CountingRepository, changes: ManualChanges
) -> None:
    repository.insert(NEW, task_id="t1", now=100.0)
    for turn in range(1, 3):
        leave = feed.watch("t1", lambda task: None)
        changes.waiting.get(timeout=DEADLINE)
        (thread,) = feed_threads()
        leave()
        changes.signal_without_waiting()
        thread.join(timeout=DEADLINE)
        assert not thread.is_alive()
        assert changes.closed == turn


def test_a_change_before_a_watcher_is_registered_is_queried_at_once(
    feed: SqlTaskFeed, repository: CountingRepository, changes: ManualChanges
) -> None:
    repository.insert(NEW, task_id="t1", now=100.0)
    repository.insert(NEW, task_id="t2", now=100.0)
    leave = [feed.watch("t1", lambda task: None)]
    changes.waiting.get(timeout=DEADLINE)
    queries = len(repository.queries)
    leave.append(feed.watch("t2", lambda task: None))
    changes.signal(False)
    assert repository.queries[queries:] == [{"t1": 1, "t2": 1}]
    for each in leave:
        each()


def test_a_database_outage_is_logged_once_and_no_change_is_lost(
    feed: SqlTaskFeed,
    repository: CountingRepository,
    changes: ManualChanges,
    caplog: pytest.LogCaptureFixture,
) -> None:
    repository.insert(NEW, task_id="t1", now=100.0)
    seen: list[Task] = []
    with caplog.at_level(logging.INFO):
        feed.watch("t1", seen.append)
        changes.waiting.get(timeout=DEADLINE)
        repository.failing = True
        changes.signal()
        changes.signal()
        repository.change("t1", transitions.cancel, now=101.0)
        repository.failing = False
        changes.signal_without_waiting()
        feed_threads()[0].join(timeout=DEADLINE)
    assert [task.status for task in seen] == [TaskStatus.PENDING, TaskStatus.CANCELLED]
    assert [(record.message, vars(record)["error"]) for record in caplog.records] == [
        ("task feed cannot read the database; will retry", "the database is gone")
    ]


def test_the_state_read_for_a_new_watcher_is_delivered_to_all(
    feed: SqlTaskFeed, repository: CountingRepository, changes: ManualChanges
) -> None:
    repository.insert(NEW, task_id="t1", now=100.0)
    early: list[Task] = []
    feed.watch("t1", early.append)
    changes.waiting.get(timeout=DEADLINE)
    ended = repository.change("t1", transitions.cancel, now=101.0)
    late: list[Task] = []
    feed.watch("t1", late.append)
    assert late == [ended]
    assert early[1:] == [ended]


def test_many_watchers_of_all_tasks_cost_one_query_a_change(
    feed: SqlTaskFeed, repository: CountingRepository, changes: ManualChanges
) -> None:
    repository.insert(NEW, task_id="t1", now=100.0)
    everything, seen = TaskSelection(owner="ann", ids=frozenset(), all=True), list[TaskSnapshot]()
    leave = [feed.watch_selection(everything, seen.append) for _ in range(20)]
    changes.waiting.get(timeout=DEADLINE)
    repository.selections.clear()
    cancelled = repository.change("t1", transitions.cancel, now=101.0)
    changes.signal()
    assert repository.selections == [everything]
    assert repository.queries == []
    assert [snapshot.tasks for snapshot in seen[20:]] == [{"t1": cancelled}] * 20
    for each in leave:
        each()


def test_very_many_changes_are_not_read_for_all_watchers_at_once(
    feed: SqlTaskFeed, repository: CountingRepository, changes: ManualChanges
) -> None:
    everything, seen = TaskSelection(owner="ann", ids=frozenset(), all=True), list[TaskSnapshot]()
    leave = feed.watch_selection(everything, seen.append)
    changes.waiting.get(timeout=DEADLINE)
    for count in (MAX_SHARED, MAX_SHARED + 1):
        for _ in range(count):
            repository.insert(NEW, task_id=uuid4().hex, now=100.0)
        changes.signal()
    assert [len(snapshot.tasks) for snapshot in seen[1:]] == [MAX_SHARED, 0]
    assert len(seen[-1].states) == 2 * MAX_SHARED + 1
    leave()


def test_a_new_watcher_of_a_selection_is_not_given_a_read_that_began_before_its_own(
    feed: SqlTaskFeed, repository: CountingRepository, changes: ManualChanges
) -> None:
    everything = TaskSelection(owner="ann", ids=frozenset(), all=True)
    early, late = list[TaskSnapshot](), list[TaskSnapshot]()
    leave = [feed.watch_selection(everything, early.append)]
    changes.waiting.get(timeout=DEADLINE)

    def create_and_watch() -> None:
        repository.insert(NEW, task_id="t2", now=101.0)
        leave.append(feed.watch_selection(everything, late.append))

    repository.insert(NEW, task_id="t1", now=100.0)
    repository.meanwhile = create_and_watch
    changes.signal()
    assert [set(snapshot.states) for snapshot in late] == [{"t1", "t2"}]
    assert [set(snapshot.states) for snapshot in early] == [set(), {"t1"}, {"t1", "t2"}]
    for each in leave:
        each()
