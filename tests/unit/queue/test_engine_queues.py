"""Every engine has a queue; a worker runs the work of its engines, one piece at a time."""

import pytest
from dbos import DBOSClient

from facecli.queue.client import APPLICATION_VERSION, QUEUE, SCHEMA, WORKFLOW, DbosTaskQueue
from tests.support.tasks.queue_worker import Worker

pytestmark = pytest.mark.slow


def test_only_an_idle_worker_that_runs_the_engine_gets_its_work(url: str, queue: DbosTaskQueue) -> None:
    queue.register(["mesh", "mock"], poll_interval=0.2)
    queue.enqueue(work_id="a.1", task_id="a", engine="mesh")
    queue.enqueue(work_id="b.1", task_id="b", engine="mock")
    with Worker(url, "worker-1", "run", ["mock"]) as without_mesh:
        assert [without_mesh.read_line(), without_mesh.read_line()] == ["began b", "ended b"]
        assert queue.missing({"a.1": "mesh"}) == set()
    with Worker(url, "worker-2", "hang", ["mesh", "mock"], reconcile_interval=3600) as busy:
        assert busy.read_line() == "began a"
        queue.enqueue(work_id="c.1", task_id="c", engine="mock")
        with Worker(url, "worker-3", "run", ["mesh", "mock"]) as idle:
            assert [idle.read_line(), idle.read_line()] == ["began c", "ended c"]
        assert queue.held_by("worker-2") == {"a.1"}


@pytest.mark.parametrize("either_database", ["sqlite"], indirect=True)
def test_work_of_several_engines_runs_one_after_the_other(url: str, queue: DbosTaskQueue) -> None:
    engines = ["corner", "mesh", "mock"]
    for name in engines:
        queue.enqueue(work_id=f"{name}.1", task_id=name, engine=name)
    with Worker(url, "worker-1", "wait", engines) as worker:
        lines = [worker.read_line()]
        worker.proceed()
        lines += [worker.read_line() for _ in range(5)]
    began = [line.removeprefix("began ") for line in lines[::2]]
    assert sorted(began) == engines
    assert lines[1::2] == [f"ended {name}" for name in began]


def test_work_in_the_queue_of_earlier_versions_is_missing_and_enqueued_again(
    url: str, queue: DbosTaskQueue
) -> None:
    client = DBOSClient(system_database_url=url, dbos_system_schema=SCHEMA)
    client.enqueue(
        {
            "workflow_name": WORKFLOW,
            "queue_name": QUEUE,
            "workflow_id": "a.1",
            "app_version": APPLICATION_VERSION,
        },
        "a",
    )
    client.destroy()
    assert queue.missing({"a.1": "mock"}) == {"a.1"}
    queue.forget(["a.1"])
    queue.enqueue(work_id="a.1", task_id="a", engine="mock")
    assert queue.missing({"a.1": "mock"}) == set()
