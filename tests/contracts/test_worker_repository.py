"""What every WorkerRepository does."""

from dataclasses import replace

from facecli.tasks.leases import Worker, WorkerRepository

ONE = Worker(id="one-1", name="one", data_dir_id="here", pid=7)
TWO = Worker(id="two-1", name="two", data_dir_id="here", pid=8)


def test_a_worker_is_entered_with_its_first_beat_and_every_other_is_counted(
    worker_repository: WorkerRepository,
) -> None:
    worker_repository.heartbeat(ONE)
    worker_repository.heartbeat(TWO)
    worker_repository.heartbeat(ONE)
    assert {worker.id: worker for worker in worker_repository.listed()} == {
        "one-1": replace(ONE, heartbeats=1),
        "two-1": TWO,
    }


def test_a_worker_that_was_forgotten_is_entered_again_when_it_beats(
    worker_repository: WorkerRepository,
) -> None:
    worker_repository.heartbeat(ONE)
    worker_repository.forget("one-1")
    worker_repository.forget("nobody")
    assert worker_repository.listed() == []
    worker_repository.heartbeat(ONE)
    assert worker_repository.listed() == [ONE]


def test_of_a_rehearsal_nothing_stays(worker_repository: WorkerRepository) -> None:
    worker_repository.heartbeat(ONE)
    worker_repository.probe_writable()
    assert worker_repository.listed() == [ONE]
