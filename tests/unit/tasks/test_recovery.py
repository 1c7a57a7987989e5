"""Workers that fell silent are found by looking, and what nobody would run is run."""

import pytest

from facecli.core.events import Event, EventBus
from facecli.metadata.tasks import SqlTaskRepository
from facecli.metadata.workers import SqlWorkerRepository
from facecli.tasks.claims import Claim
from facecli.tasks.leases import MISSED_HEARTBEATS, Worker
from facecli.tasks.recovery import Recovery
from facecli.tasks.store import TaskStore
from facecli.tasks.task import Task, TaskStatus
from tests.support.builders import NEW
from tests.support.storage import Clock, Storage
from tests.support.task_queue import Queue

ONE = Worker(id="one-1", name="one", data_dir_id="here", pid=1)
TWO = Worker(id="two-1", name="two", data_dir_id="here", pid=2)


class Works:
    """Two workers, one task that the first has taken."""

    def __init__(self, storage: Storage) -> None:
        self.tasks, self.workers, self.queue = (
            storage.opened(SqlTaskRepository),
            storage.opened(SqlWorkerRepository),
            Queue(),
        )
        self.events, self.published = EventBus(), list[Event]()
        self.events.subscribe(self.published.append)
        self.store = TaskStore(self.tasks, clock=Clock(), events=self.events)
        self.workers.heartbeat(ONE)
        self.workers.heartbeat(TWO)
        self.new("t1")
        self.claim = Claim(worker=ONE.id)
        self.queue.take("t1.1", ONE.id)
        self.claim.take(self.store, "t1")
        self.recovery = self.observer()

    def new(self, task_id: str) -> Task:
        task = self.tasks.insert(NEW, task_id=task_id, now=1.0)
        self.queue.enqueue(work_id=task.work_id, task_id=task_id)
        return task

    def observer(self) -> Recovery:
        return Recovery(
            tasks=self.store, workers=self.workers, queue=self.queue, events=self.events, max_crashes=5
        )

    @property
    def task(self) -> Task:
        return self.tasks.get("t1")


@pytest.fixture
def works(storage: Storage) -> Works:
    return Works(storage)


def test_a_worker_that_makes_no_beat_loses_its_task_after_some_looks_and_the_others_nothing(
    works: Works,
) -> None:
    for _ in range(MISSED_HEARTBEATS):
        works.recovery.check()
        works.workers.heartbeat(TWO)
        assert works.task.status is TaskStatus.PROCESSING
    works.recovery.check()
    assert (works.task.status, works.task.crashes, works.queue.waiting) == (TaskStatus.PENDING, 1, {"t1.1"})
    assert [worker.id for worker in works.workers.listed()] == [TWO.id]


def test_one_beat_in_time_is_enough(works: Works) -> None:
    for _ in range(5):
        for _ in range(MISSED_HEARTBEATS):
            works.recovery.check()
        works.workers.heartbeat(ONE)
        works.workers.heartbeat(TWO)
    assert works.task.status is TaskStatus.PROCESSING


def test_two_that_find_the_same_death_take_the_task_back_once(works: Works) -> None:
    other = works.observer()
    works.recovery.recover(ONE.id)
    works.queue.take("t1.1", TWO.id)
    taken = Claim(worker=TWO.id).take(works.store, "t1")
    other.recover(ONE.id)
    assert (works.task, works.queue.held) == (taken, {"t1.1": TWO.id})


def test_an_orderly_end_is_no_death(works: Works) -> None:
    works.recovery.release(ONE.id)
    assert (works.task.status, works.task.crashes, works.queue.waiting) == (TaskStatus.PENDING, 0, {"t1.1"})
    assert [worker.id for worker in works.workers.listed()] == [TWO.id]


def test_the_former_workers_of_a_name_are_released_and_those_of_other_places_are_not(works: Works) -> None:
    elsewhere = Worker(id="one-2", name="one", data_dir_id="there", pid=1)
    works.workers.heartbeat(elsewhere)
    works.recovery.recover_former(data_dir_id="here", names="one".__eq__)
    assert {worker.id for worker in works.workers.listed()} == {TWO.id, elsewhere.id}
    assert works.task.status is TaskStatus.PENDING


def test_a_holder_without_a_row_is_found(works: Works) -> None:
    works.workers.forget(ONE.id)
    works.recovery.requeue_stranded()
    assert (works.task.status, works.queue.waiting) == (TaskStatus.PENDING, {"t1.1"})


def test_a_death_between_taking_from_the_queue_and_taking_the_task_is_found(works: Works) -> None:
    works.new("t2")
    works.queue.take("t2.1", "dead-1")
    works.recovery.requeue_stranded()
    assert works.queue.waiting == {"t2.1"}


def test_a_waiting_task_that_the_queue_lost_or_takes_for_done_is_enqueued(works: Works) -> None:
    works.new("t2")
    works.new("t3")
    works.queue.waiting.clear()
    works.queue.over.add("t3.1")
    works.recovery.requeue_stranded()
    assert works.queue.waiting == {"t2.1", "t3.1"}
    works.recovery.requeue_stranded()
    assert works.queue.waiting == {"t2.1", "t3.1"}
