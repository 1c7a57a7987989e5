"""Polls of a queue, with the real queue: cheap while nothing waits, and never late."""

import logging
import subprocess
import sys
import threading
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from dbos._client import DBOSClient
from dbos._core import ActiveWorkflowById
from dbos._queue import Queue, queue_worker_thread

from facecli.queue.client import SCHEMA, DbosTaskQueue, queue_name
from facecli.queue.polls import CONFIGURATION_SECONDS, Polls
from tests.support.eventually import eventually
from tests.support.storage import Clock

pytestmark = pytest.mark.slow


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def polls(url: str, queue: DbosTaskQueue, clock: Clock) -> Iterator[Polls]:
    queue.register(["mock", "mesh"], poll_interval=0.2)
    client = DBOSClient(system_database_url=url, dbos_system_schema=SCHEMA)
    yield Polls(client._sys_db, clock=clock)
    client.destroy()


def test_a_queue_is_polled_while_work_waits_in_it(polls: Polls, queue: DbosTaskQueue) -> None:
    mock, mesh = queue_name("mock"), queue_name("mesh")
    assert (polls.scopes(mock), polls.scopes(mesh)) == ([], [])
    queue.enqueue(work_id="w1", task_id="t1", engine="mock")
    assert (polls.scopes(mock), polls.scopes(mesh)) == ([None], [])
    queue.forget(["w1"])
    assert polls.scopes(mock) == []


def test_the_configuration_of_a_queue_is_read_again_after_a_while(
    polls: Polls, queue: DbosTaskQueue, clock: Clock
) -> None:
    def interval() -> float:
        found = polls.queue(queue_name("mock"))
        assert found
        return found._polling_interval_sec

    assert interval() == 0.2
    queue.register(["mock"], poll_interval=2.0)
    assert interval() == 0.2
    clock.now += CONFIGURATION_SECONDS
    assert interval() == 2.0
    assert polls.queue("another") is None


def test_dbos_looks_for_work_only_when_some_waits(queue: DbosTaskQueue) -> None:
    database, looked = queue._client._sys_db, list[str]()
    queue.register(["mock"], poll_interval=0.01)

    class CountedPolls(Polls):
        polls = 0

        def scopes(self, name: str) -> list[str | None]:
            self.polls += 1
            return super().scopes(name)

    def look(found: Queue, *rest: Any, **more: Any) -> tuple[list[str], None]:
        looked.append(found.name)
        return [], None

    database.start_queued_workflows = look  # type: ignore[method-assign,assignment]
    (polls := CountedPolls(database)).install()
    configuration = database.get_queue(queue_name("mock"))
    stopped = threading.Event()
    dbos: Any = SimpleNamespace(
        _sys_db=database, _active_workflows_set=ActiveWorkflowById(), logger=logging.getLogger()
    )
    thread = threading.Thread(target=queue_worker_thread, args=(stopped, dbos, configuration))
    thread.start()
    try:
        eventually(lambda: polls.polls > 3)
        assert looked == []
        queue.enqueue(work_id="w1", task_id="t1", engine="mock")
        eventually(lambda: looked)
    finally:
        stopped.set()
        thread.join()


WORKER = """
import sys
from dbos._dbos import _get_dbos_instance
from facecli.metadata.database import translate_errors
from facecli.queue.runner import DbosTaskRunner
runner = DbosTaskRunner(sys.argv[1], worker="w1", engines=["mock"], run=print, errors=translate_errors)
print(_get_dbos_instance()._sys_db.dequeue_scopes("tasks/mock"))
runner.close()
"""


def test_a_worker_polls_like_this(url: str) -> None:
    command = [sys.executable, "-c", WORKER, url]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    assert ran.stdout == "[]\n"
