"""Dispatch: a worker takes first what fewer workers can run, and yet does not only that for ever."""

from collections.abc import Collection

from facecli.metadata.tasks import SqlTaskRepository
from facecli.metadata.workers import SqlWorkerRepository
from facecli.tasks.dispatch import MAX_RARE, Dispatch
from facecli.tasks.leases import Worker
from tests.support.storage import Storage

COMMON = Worker(id="cpu-1", name="cpu", data_dir_id="here", pid=1, engines=("mock", "mesh"))
RARE = Worker(id="gpu-1", name="gpu", data_dir_id="here", pid=2, engines=("mock", "mesh", "inswapper"))


class Waiting:
    """TaskTurns with any number of pending tasks of some engines; a task is named after its engine."""

    def __init__(self, *engines: str) -> None:
        self.engines = engines

    def next(self, engines: Collection[str]) -> str | None:
        return next((engine for engine in self.engines if engine in engines), None)


def dispatch(storage: Storage, waiting: Waiting, worker: Worker) -> Dispatch:
    workers = storage.opened(SqlWorkerRepository)
    for each in (COMMON, RARE):
        workers.heartbeat(each)
    tasks = storage.opened(SqlTaskRepository)
    return Dispatch(waiting, tasks=tasks, workers=workers, engines=worker.engines)


def test_a_worker_runs_first_what_fewer_workers_can_run(storage: Storage) -> None:
    waiting = Waiting("mesh", "mock", "inswapper")
    rare = dispatch(storage, waiting, RARE)
    assert [rare.next() for _ in range(2)] == ["inswapper"] * 2
    waiting.engines = ("mock",)
    assert rare.next() == "mock"
    assert dispatch(storage, Waiting("mesh", "mock"), COMMON).next() == "mesh"


def test_after_some_rare_tasks_in_a_row_all_have_their_turn(storage: Storage) -> None:
    rare = dispatch(storage, Waiting("mesh", "mock", "inswapper"), RARE)
    chosen = [rare.next() for _ in range(2 * MAX_RARE + 2)]
    assert chosen == 2 * [*["inswapper"] * MAX_RARE, "mesh"]
