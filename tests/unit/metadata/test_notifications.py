"""Change detection on PostgreSQL, also across outages."""

from collections.abc import Iterator
from functools import partial
from queue import SimpleQueue

import pytest

from facecli.core.errors import TaskEnded
from facecli.metadata import schema
from facecli.metadata.database import open_database
from facecli.metadata.feed import SqlTaskFeed
from facecli.metadata.notifications import Notifications
from facecli.metadata.tasks import SqlTaskRepository
from facecli.tasks import transitions
from facecli.tasks.task import Task
from tests.support.builders import NEW, claim
from tests.support.eventually import eventually
from tests.support.postgres import Postgres

DEADLINE = 60.0  # seconds; when a test gives up, never how long something may take


@pytest.fixture
def repository(postgresql: str) -> Iterator[SqlTaskRepository]:
    engine = open_database(postgresql)
    schema.upgrade(engine)
    yield SqlTaskRepository(engine)
    engine.dispose()


@pytest.fixture
def changes(postgresql: str) -> Iterator[Notifications]:
    changes = Notifications(postgresql, sleep=lambda seconds: None)
    yield changes
    changes.close()


def wait_for_notification(changes: Notifications) -> None:
    eventually(changes.wait, every=0)


def test_only_a_committed_change_notifies_and_only_once(
    repository: SqlTaskRepository, changes: Notifications
) -> None:
    repository.insert(NEW, task_id="t1", now=100.0)
    assert changes.wait()  # whatever was written before
    assert not changes.wait()
    repository.change("t1", transitions.cancel, now=101.0)
    wait_for_notification(changes)
    repository.get("t1")
    with pytest.raises(TaskEnded):
        repository.change("t1", transitions.cancel, now=102.0)
    assert not changes.wait()


def test_many_changes_give_few_notifications(repository: SqlTaskRepository, changes: Notifications) -> None:
    repository.insert(NEW, task_id="t1", now=100.0)
    changes.wait()
    for _ in range(20):
        repository.change("t1", transitions.cancel, now=101.0)
        repository.change("t1", transitions.retry, now=102.0)
    notified = 0
    while changes.wait():
        notified += 1
    assert 1 <= notified < 40


def test_without_a_connection_everything_may_have_changed(
    postgres: Postgres, repository: SqlTaskRepository, changes: Notifications
) -> None:
    repository.insert(NEW, task_id="t1", now=100.0)
    changes.wait()
    assert not changes.wait()
    postgres.stop()
    try:
        assert [changes.wait() for _ in range(3)] == [True] * 3
    finally:
        postgres.start()
    assert changes.wait()
    assert not changes.wait()
    repository.change("t1", transitions.cancel, now=101.0)
    wait_for_notification(changes)


def test_watchers_survive_an_immediate_stop_of_the_database(
    postgres: Postgres, repository: SqlTaskRepository, changes: Notifications
) -> None:
    repository.insert(NEW, task_id="t1", now=100.0)
    claim(repository)
    delivered = SimpleQueue[Task]()
    SqlTaskFeed(repository, changes).watch("t1", delivered.put)
    seen = [delivered.get(timeout=DEADLINE)]
    for progress in (10, 20, 30):
        advance = partial(transitions.advance, run="r1", progress=progress, stage="swapping")
        changed = repository.change("t1", advance, now=100.0 + progress)
        while seen[-1] != changed:
            seen.append(delivered.get(timeout=DEADLINE))
        postgres.stop()
        postgres.start()
    ended = repository.change("t1", transitions.cancel, now=140.0)
    while not seen[-1].ended:
        seen.append(delivered.get(timeout=DEADLINE))
    assert seen[-1] == ended
    revisions = [task.revision for task in seen]
    assert revisions == sorted(set(revisions))
