"""Polls of a queue, with the real queue: cheap while nothing waits, and never late."""

from collections.abc import Iterator

import pytest
from dbos._client import DBOSClient

from facecli.queue.client import SCHEMA, DbosTaskQueue, queue_name
from facecli.queue.polls import CONFIGURATION_SECONDS, Polls
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


def test_dbos_polls_by_these_methods(polls: Polls, queue: DbosTaskQueue) -> None:
    database = queue._client._sys_db
    Polls(database)
    assert database.dequeue_scopes(queue_name("mock")) == []
    found = database.get_queue(queue_name("mock"))
    assert found is database.get_queue(queue_name("mock"))
