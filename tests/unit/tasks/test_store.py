"""TaskStore: every change of a task is published once, as what it means."""

from dataclasses import replace
from functools import partial

import pytest

from facecli.core.errors import MediaRefused, TaskEnded
from facecli.core.events import (
    Event,
    EventBus,
    TaskCrashed,
    TaskCreated,
    TaskDeleted,
    TaskRequeued,
    TaskRetried,
    TaskStarted,
)
from facecli.core.events import (
    TaskEnded as Ended,
)
from facecli.metadata.tasks import SqlTaskRepository
from facecli.tasks import claims, transitions
from facecli.tasks.claims import Claim
from facecli.tasks.store import TaskStore
from facecli.tasks.verification import lose_result
from tests.support.builders import NEW, RESULT
from tests.support.storage import Storage


class PublishingStore(TaskStore):
    """A store that records the events it publishes."""

    def __init__(self, storage: Storage) -> None:
        events = EventBus()
        super().__init__(storage.opened(SqlTaskRepository), clock=storage.clock, events=events)
        self.published = list[Event]()
        events.subscribe(self.published.append)

    def drain(self) -> list[Event]:
        published = self.published[:]
        self.published.clear()
        return published


@pytest.fixture
def store(storage: Storage) -> PublishingStore:
    return PublishingStore(storage)


def test_a_new_task_is_published_and_an_existing_one_is_not(store: PublishingStore) -> None:
    task = store.create(replace(NEW, key="k"))
    assert store.drain() == [TaskCreated(task_id=task.id, owner="ann", engine="mock")]
    assert store.create(replace(NEW, key="k")) == task
    assert store.drain() == []


def test_the_life_of_a_task_is_published(store: PublishingStore) -> None:
    task_id, claim = store.create(NEW).id, Claim(worker="w1")
    store.drain()
    claim.take(store, task_id)
    assert store.drain() == [TaskStarted(task_id=task_id, engine="mock", worker="w1", attempt=1)]
    store.change(task_id, partial(transitions.advance, run=claim.run, progress=50, stage="swapping"))
    assert store.drain() == []
    store.change(task_id, partial(claims.release, run=claim.run))
    assert store.drain() == [TaskRequeued(task_id=task_id, engine="mock", worker="w1")]
    second = Claim(worker="w2")
    second.take(store, task_id)
    failure = partial(transitions.fail, run=second.run, error=MediaRefused("no frames"))
    store.change(task_id, failure)
    assert store.drain()[1:] == [
        Ended(task_id=task_id, engine="mock", status="failed", reason="MEDIA_REFUSED", message="no frames")
    ]
    store.change(task_id, transitions.retry)
    assert store.drain() == [TaskRetried(task_id=task_id, round=2)]
    third = Claim(worker="w3")
    third.take(store, task_id)
    store.change(task_id, partial(transitions.complete, run=third.run, result=RESULT))
    assert store.drain()[1:] == [
        Ended(task_id=task_id, engine="mock", status="completed", reason="", message="")
    ]
    lost = store.change(task_id, lose_result)
    assert store.drain() == [
        Ended(
            task_id=task_id, engine="mock", status="failed", reason="RESULT_LOST", message=lost.error_message
        )
    ]
    assert store.delete(lost, cause="requested")
    assert store.drain() == [TaskDeleted(task_id=task_id, cause="requested")]


def test_the_last_allowed_crash_is_published_as_the_end(store: PublishingStore) -> None:
    task_id, claim = store.create(NEW).id, Claim(worker="w1")
    claim.take(store, task_id)
    store.drain()
    task = store.change(task_id, partial(claims.release_after_crash, run=claim.run, max_crashes=1))
    assert "1 attempt crashed without progress" in task.error_message
    assert store.drain() == [
        TaskCrashed(task_id=task_id, engine="mock"),
        Ended(
            task_id=task_id,
            engine="mock",
            status="failed",
            reason="PROGRAM_KILLED",
            message=task.error_message,
        ),
    ]


def test_a_refused_change_and_a_missed_deletion_publish_nothing(store: PublishingStore) -> None:
    task = store.create(NEW)
    store.change(task.id, transitions.cancel)
    store.drain()
    with pytest.raises(TaskEnded):
        store.change(task.id, transitions.cancel)
    assert not store.delete(task, cause="expired")
    assert store.drain() == []
