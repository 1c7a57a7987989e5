"""Capabilities: pending tasks that no living worker can run have a note."""

from dataclasses import replace

from facecli.core.errors import Unavailable
from facecli.metadata.workers import SqlWorkerRepository
from facecli.tasks.leases import Worker
from facecli.tasks.task import Task, TaskStatus
from facecli.worker.capabilities import READ_INTERVAL, Capabilities
from tests.support.builders import NEW
from tests.support.storage import Storage

OWN = Worker(id="own-1", name="own", data_dir_id="here", pid=1, engines=("mock",))
OTHER = Worker(id="gpu-1", name="gpu", data_dir_id="there", pid=2, engines=("mock", "inswapper"))
TASK = replace(Task.new(NEW, task_id="t1", now=1.0), engine="inswapper", notes=("no sound",))
NOTE = "no running worker has the engine inswapper; the task waits until one does"


class Cluster:
    """A server that has started one worker, and other workers."""

    def __init__(self, workers: SqlWorkerRepository) -> None:
        self.workers, self.now = workers, 0.0
        self.capabilities = Capabilities(
            workers, own_workers=1, is_own=lambda worker: worker.name == "own", monotonic=lambda: self.now
        )

    def notes(self, task: Task = TASK) -> tuple[str, ...]:
        self.now += READ_INTERVAL
        return self.capabilities.noted(task).notes


def test_a_pending_task_is_noted_while_no_worker_runs_its_engine(storage: Storage) -> None:
    cluster = Cluster(storage.opened(SqlWorkerRepository))
    cluster.workers.heartbeat(OWN)
    assert cluster.notes() == ("no sound", NOTE)
    assert cluster.notes(replace(TASK, engine="mock")) == ("no sound",)
    assert cluster.notes(replace(TASK, status=TaskStatus.PROCESSING)) == ("no sound",)
    cluster.workers.heartbeat(OTHER)
    assert cluster.notes() == ("no sound",)
    cluster.workers.forget(OTHER.id)
    assert cluster.notes() == ("no sound", NOTE)


def test_nothing_is_said_while_the_workers_of_the_server_start(storage: Storage) -> None:
    cluster = Cluster(storage.opened(SqlWorkerRepository))
    cluster.workers.heartbeat(replace(OTHER, engines=("mock",)))
    assert cluster.notes() == ("no sound",)


def test_workers_are_read_once_a_second_and_a_failure_is_no_answer(storage: Storage) -> None:
    reads = list[bool]()

    class Failing(SqlWorkerRepository):
        def listed(self) -> list[Worker]:
            reads.append(True)
            raise Unavailable("the database is away")

    class Counting(SqlWorkerRepository):
        def listed(self) -> list[Worker]:
            reads.append(True)
            return [OWN]

    counting = Cluster(storage.opened(Counting))
    counting.now = READ_INTERVAL
    assert [counting.capabilities.noted(TASK).notes[1:] for _ in range(3)] == [(NOTE,)] * 3
    assert len(reads) == 1
    assert Cluster(storage.opened(Failing)).notes() == ("no sound",)
