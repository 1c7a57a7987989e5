"""The durable queue on a real database, with a worker that is really killed."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from facecli.queue.work import WorkQueue, prepare

WORKER = """
import sys, threading
from facecli.queue.runner import WorkRunner

url, name, mode = sys.argv[1:]

def run(task_id):
    print("began", task_id, flush=True)
    if mode == "hang":
        threading.Event().wait()
    print("ended", task_id, flush=True)

WorkRunner(url, worker=name, run=run)
threading.Event().wait()
"""


@pytest.fixture
def url(tmp_path: Path) -> str:
    url = f"sqlite:///{tmp_path / 'queue.db'}"
    prepare(url)
    return url


@pytest.fixture
def work(url: str) -> Iterator[WorkQueue]:
    queue = WorkQueue(url)
    yield queue
    queue.close()


class Worker:
    """A worker process that says what it does."""

    def __init__(self, url: str, name: str, mode: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", WORKER, url, name, mode], stdout=subprocess.PIPE, text=True
        )

    def says(self) -> str:
        assert self._process.stdout
        return self._process.stdout.readline().strip()

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def __enter__(self) -> "Worker":
        return self

    def __exit__(self, *error: object) -> None:
        self.kill()
        assert self._process.stdout
        self._process.stdout.close()


def test_work_that_is_enqueued_twice_runs_once(url: str, work: WorkQueue) -> None:
    work.enqueue(work_id="a.1", task_id="a")
    work.enqueue(work_id="a.1", task_id="a")
    work.enqueue(work_id="b.1", task_id="b")
    with Worker(url, "worker-1", "run") as worker:
        assert [worker.says() for _ in range(3)] == ["began a", "ended a", "began b"]


def test_a_dead_workers_work_goes_to_another(url: str, work: WorkQueue) -> None:
    work.enqueue(work_id="a.1", task_id="a")
    with Worker(url, "worker-1", "hang") as dying:
        assert dying.says() == "began a"
        assert work.holders() == {"worker-1"}
        dying.kill()
        work.recover("worker-1")
        assert work.holders() == set()
        with Worker(url, "worker-2", "run") as other:
            assert [other.says(), other.says()] == ["began a", "ended a"]


def test_a_worker_of_the_same_name_takes_its_own_work_up_again(url: str, work: WorkQueue) -> None:
    work.enqueue(work_id="a.1", task_id="a")
    with Worker(url, "worker-1", "hang") as dying:
        assert dying.says() == "began a"
    with Worker(url, "worker-1", "run") as again:
        assert [again.says(), again.says()] == ["began a", "ended a"]


def test_recovering_a_worker_that_holds_nothing_is_harmless(work: WorkQueue) -> None:
    work.recover("worker-9")
    assert work.holders() == set()
