"""Turns of owners, with the real queue: it delivers in order, and the worker chooses."""

from dataclasses import replace

import pytest

from facecli.metadata import schema
from facecli.metadata.database import open_database
from facecli.metadata.tasks import SqlTaskRepository
from facecli.queue.client import DbosTaskQueue
from facecli.tasks.task import TaskStatus
from tests.support.builders import NEW
from tests.support.tasks.queue_worker import Worker

pytestmark = pytest.mark.slow


def test_the_queue_delivers_in_order_and_a_worker_runs_whose_turn_it_is(
    url: str, queue: DbosTaskQueue
) -> None:
    database = open_database(url)
    schema.upgrade(database)
    repository = SqlTaskRepository(database)
    created = [*(f"ann{number}" for number in range(20)), "bob0", "cat0"]
    for second, task_id in enumerate(created):
        task = repository.insert(replace(NEW, owner=task_id[:3]), task_id=task_id, now=float(second))
        queue.enqueue(work_id=task.work_id, task_id=task.id, engine="mock")
    with Worker(url, "worker-1", "turns") as worker:
        order = [worker.read_line() for _ in range(6)]
        assert order == [f"ran {name}" for name in ("ann0", "bob0", "cat0", "ann1", "ann2", "ann3")]
    # The worker was killed, and has run tasks out of order: every pending one still has its delivery.
    pending = repository.with_status(TaskStatus.PENDING)
    assert queue.missing({task.work_id: task.engine for task in pending}) == set()
    database.dispose()
