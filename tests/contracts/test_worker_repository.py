"""What every WorkerRows does."""

from dataclasses import replace

from facecli.tasks.leases import Worker, WorkerRows

ONE = Worker(id="one-1", name="one", place="here", pid=7)
TWO = Worker(id="two-1", name="two", place="here", pid=8)


def test_a_worker_is_entered_with_its_first_beat_and_every_other_is_counted(
    worker_rows: WorkerRows,
) -> None:
    worker_rows.beat(ONE)
    worker_rows.beat(TWO)
    worker_rows.beat(ONE)
    assert {worker.id: worker for worker in worker_rows.listed()} == {
        "one-1": replace(ONE, beat=1),
        "two-1": TWO,
    }


def test_a_worker_that_was_forgotten_is_entered_again_when_it_beats(worker_rows: WorkerRows) -> None:
    worker_rows.beat(ONE)
    worker_rows.forget("one-1")
    worker_rows.forget("nobody")
    assert worker_rows.listed() == []
    worker_rows.beat(ONE)
    assert worker_rows.listed() == [ONE]


def test_of_a_rehearsal_nothing_stays(worker_rows: WorkerRows) -> None:
    worker_rows.beat(ONE)
    worker_rows.rehearse()
    assert worker_rows.listed() == [ONE]
