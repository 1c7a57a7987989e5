"""Recovery: expired leases, shutdowns, and stranded tasks."""

import signal
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from typing import Any

import pytest

from facecli.core.errors import DiskFull, Unavailable
from facecli.core.events import Event, EventBus, TaskCrashed, TaskRequeued, WorkerLost
from facecli.metadata.task_logs import SqlTaskLogRepository
from facecli.metadata.tasks import SqlTaskRepository
from facecli.metadata.workers import SqlWorkerRepository
from facecli.tasks.claims import Claim
from facecli.tasks.leases import MISSED_HEARTBEATS, Worker
from facecli.tasks.logs.record import LogEntry
from facecli.tasks.logs.server_log import ServerLog
from facecli.tasks.recovery import Recovery
from facecli.tasks.store import TaskStore
from facecli.tasks.task import Task, TaskStatus
from facecli.tasks.transitions import Change
from facecli.tasks.worker_end import exited
from tests.support.builders import NEW
from tests.support.storage import Clock, Storage
from tests.support.task_queue import MemoryQueue

ONE = Worker(id="one-1", name="one", data_dir_id="here", pid=1)
MAX_CRASHES = 5
TWO = Worker(id="two-1", name="two", data_dir_id="here", pid=2)


class LockableTasks(SqlTaskRepository):
    """A repository in which the rows of some tasks are locked by another process."""

    locked: Collection[str] = ()
    before_change: Callable[[], None] | None = None  # happens once

    def change(self, task_id: str, change: Change, **more: Any) -> Task:
        if task_id in self.locked:
            raise Unavailable("canceling statement due to lock timeout")
        if self.before_change:
            happens, self.before_change = self.before_change, None
            happens()
        return super().change(task_id, change, **more)


class FullLogs(SqlTaskLogRepository):
    """A repository on a full disk."""

    def append(self, task_id: str, entries: Sequence[LogEntry], *, run: str | None, dropped: int) -> None:
        raise DiskFull("the disk is full")


class Cluster:
    """Two workers, and one task that the first of them runs."""

    def __init__(self, storage: Storage) -> None:
        self.tasks, self.workers, self.queue = (
            storage.opened(LockableTasks),
            storage.opened(SqlWorkerRepository),
            MemoryQueue(),
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
        self.logs = storage.opened(SqlTaskLogRepository)
        self.recovery = self.observer()

    def new(self, task_id: str) -> Task:
        task = self.tasks.insert(NEW, task_id=task_id, now=1.0)
        self.queue.enqueue(work_id=task.work_id, task_id=task_id, engine=task.engine)
        return task

    def observer(self, *, logs: SqlTaskLogRepository | None = None) -> Recovery:
        return Recovery(
            tasks=self.store,
            log=ServerLog(logs or self.logs),
            workers=self.workers,
            queue=self.queue,
            events=self.events,
            max_crashes=MAX_CRASHES,
        )

    def logged(self) -> list[tuple[str, str]]:
        """Levels and texts of the log of the task."""
        return [(record.level, record.text) for record in self.logs.read("t1").records]

    @property
    def task(self) -> Task:
        return self.tasks.get("t1")


@pytest.fixture
def cluster(storage: Storage) -> Cluster:
    return Cluster(storage)


def test_a_worker_without_heartbeats_loses_its_task(
    cluster: Cluster,
) -> None:
    for _ in range(MISSED_HEARTBEATS):
        cluster.recovery.check()
        cluster.workers.heartbeat(TWO)
        assert cluster.task.status is TaskStatus.PROCESSING
    cluster.recovery.check()
    assert (cluster.task.status, cluster.task.crashes, cluster.queue.waiting) == (
        TaskStatus.PENDING,
        1,
        {"t1.1"},
    )
    assert [worker.id for worker in cluster.workers.listed()] == [TWO.id]


def test_one_heartbeat_in_time_keeps_the_lease(cluster: Cluster) -> None:
    for _ in range(5):
        for _ in range(MISSED_HEARTBEATS):
            cluster.recovery.check()
        cluster.workers.heartbeat(ONE)
        cluster.workers.heartbeat(TWO)
    assert cluster.task.status is TaskStatus.PROCESSING


def test_two_observers_of_one_crash_requeue_the_task_once(cluster: Cluster) -> None:
    other = cluster.observer()
    cluster.recovery.recover(ONE.id)
    cluster.queue.take("t1.1", TWO.id)
    taken = Claim(worker=TWO.id).take(cluster.store, "t1")
    other.recover(ONE.id)
    assert (cluster.task, cluster.queue.held) == (taken, {"t1.1": TWO.id})


def test_a_shutdown_requeues_the_task_without_a_crash(cluster: Cluster) -> None:
    cluster.recovery.release(ONE.id)
    assert (cluster.task.status, cluster.task.crashes, cluster.queue.waiting) == (
        TaskStatus.PENDING,
        0,
        {"t1.1"},
    )
    assert [worker.id for worker in cluster.workers.listed()] == [TWO.id]


def test_former_workers_are_recovered_only_in_the_same_data_directory(cluster: Cluster) -> None:
    elsewhere = Worker(id="one-2", name="one", data_dir_id="there", pid=1)
    cluster.workers.heartbeat(elsewhere)
    cluster.recovery.recover_former(data_dir_id="here", is_former="one".__eq__)
    assert {worker.id for worker in cluster.workers.listed()} == {TWO.id, elsewhere.id}
    assert cluster.task.status is TaskStatus.PENDING


def test_work_of_a_worker_without_a_row_is_requeued(cluster: Cluster) -> None:
    cluster.workers.forget(ONE.id)
    cluster.recovery.requeue_stranded()
    assert (cluster.task.status, cluster.queue.waiting) == (TaskStatus.PENDING, {"t1.1"})


def test_work_taken_from_the_queue_but_not_claimed_is_requeued(cluster: Cluster) -> None:
    cluster.new("t2")
    cluster.queue.take("t2.1", "dead-1")
    cluster.recovery.requeue_stranded()
    assert cluster.queue.waiting == {"t2.1"}


def test_a_pending_task_missing_from_the_queue_is_enqueued_again(cluster: Cluster) -> None:
    cluster.new("t2")
    cluster.new("t3")
    cluster.queue.waiting.clear()
    cluster.queue.done.add("t3.1")
    cluster.recovery.requeue_stranded()
    assert cluster.queue.waiting == {"t2.1", "t3.1"}
    cluster.recovery.requeue_stranded()
    assert cluster.queue.waiting == {"t2.1", "t3.1"}


def test_a_worker_whose_rows_are_locked_does_not_delay_the_recovery_of_others(cluster: Cluster) -> None:
    cluster.new("t2")
    cluster.queue.take("t2.1", TWO.id)
    Claim(worker=TWO.id).take(cluster.store, "t2")
    cluster.tasks.locked = {"t1"}
    with pytest.raises(Unavailable):
        cluster.recovery.recover_former(data_dir_id="here", is_former=lambda name: True)
    assert (cluster.task.status, cluster.tasks.get("t2").status) == (
        TaskStatus.PROCESSING,
        TaskStatus.PENDING,
    )
    cluster.tasks.locked = set()
    cluster.recovery.recover_former(data_dir_id="here", is_former=lambda name: True)
    assert (cluster.task.status, cluster.queue.waiting) == (TaskStatus.PENDING, {"t1.1", "t2.1"})


def test_an_expired_lease_and_the_requeued_task_are_published(cluster: Cluster) -> None:
    cluster.published.clear()
    for _ in range(MISSED_HEARTBEATS + 1):
        cluster.recovery.check()
        cluster.workers.heartbeat(TWO)
    assert cluster.published == [
        TaskCrashed(task_id="t1", engine="mock"),
        TaskRequeued(task_id="t1", engine="mock", worker=ONE.id),
        WorkerLost(worker=ONE.id),
    ]


def test_the_log_of_a_task_tells_how_its_worker_ended_and_that_the_task_goes_on(cluster: Cluster) -> None:
    cluster.recovery.recover_former(data_dir_id="here", is_former="one".__eq__, end=exited(7))
    assert cluster.logged() == [
        ("warning", "attempt 1 ended: worker one exited with code 7; task requeued for attempt 2")
    ]


def test_the_log_of_a_task_tells_of_an_expired_lease(cluster: Cluster) -> None:
    for _ in range(MISSED_HEARTBEATS + 1):
        cluster.recovery.check()
    assert cluster.logged() == [
        ("warning", "attempt 1 ended: worker one stopped sending heartbeats; task requeued for attempt 2")
    ]


def test_the_log_of_a_task_tells_of_a_shutdown(cluster: Cluster) -> None:
    cluster.recovery.release(ONE.id)
    assert cluster.logged() == [
        ("info", "attempt 1 ended: worker one was shut down; task requeued for attempt 2")
    ]


def test_the_log_of_a_task_tells_why_the_last_crash_failed_it(cluster: Cluster) -> None:
    cluster.store.change("t1", lambda task: replace(task, crashes=MAX_CRASHES - 1))
    cluster.recovery.recover(ONE.id, end=exited(-signal.SIGKILL))
    (level, text), task = cluster.logged()[-1], cluster.task
    assert (task.status, level) == (TaskStatus.FAILED, "error")
    assert text == (f"attempt 1 ended: worker one was killed by SIGKILL; task failed: {task.error_message}")


def test_only_the_observer_that_releases_a_task_tells_its_log(cluster: Cluster) -> None:
    held = cluster.task
    other = cluster.observer()
    cluster.tasks.before_change = lambda: cluster.recovery.recover(ONE.id)
    other.recover(ONE.id)
    assert (held.status, cluster.task.crashes) == (TaskStatus.PROCESSING, 1)
    assert len(cluster.logged()) == 1


def test_a_task_is_requeued_even_if_its_log_cannot_be_written(cluster: Cluster, storage: Storage) -> None:
    cluster.observer(logs=storage.opened(FullLogs)).recover(ONE.id)
    assert (cluster.task.status, cluster.queue.waiting) == (TaskStatus.PENDING, {"t1.1"})
