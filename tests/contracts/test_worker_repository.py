"""The contract of every WorkerRepository."""

from dataclasses import replace

from facecli.tasks.leases import Worker, WorkerRepository

ONE = Worker(id="one-1", name="one", data_dir_id="here", pid=7, engines=("mesh", "mock"))
TWO = Worker(id="two-1", name="two", data_dir_id="here", pid=8)


def test_the_first_heartbeat_registers_a_worker_and_others_are_counted(
    worker_repository: WorkerRepository,
) -> None:
    worker_repository.heartbeat(ONE)
    worker_repository.heartbeat(TWO)
    worker_repository.heartbeat(ONE)
    assert {worker.id: worker for worker in worker_repository.listed()} == {
        "one-1": replace(ONE, heartbeats=1),
        "two-1": TWO,
    }


def test_a_heartbeat_registers_a_forgotten_worker_again(
    worker_repository: WorkerRepository,
) -> None:
    worker_repository.heartbeat(ONE)
    worker_repository.forget("one-1")
    worker_repository.forget("unknown")
    assert worker_repository.listed() == []
    worker_repository.heartbeat(ONE)
    assert worker_repository.listed() == [ONE]


def test_probing_leaves_no_trace(worker_repository: WorkerRepository) -> None:
    worker_repository.heartbeat(ONE)
    worker_repository.probe_writable()
    assert worker_repository.listed() == [ONE]
