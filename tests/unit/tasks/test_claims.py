"""Claims: fencing of runs, and the count of crashes."""

import signal
from dataclasses import replace
from functools import partial

import pytest

from facecli.core.errors import ProgramKilled, TakenOver, TaskEnded
from facecli.core.events import EventBus
from facecli.metadata.tasks import SqlTaskRepository
from facecli.tasks import claims, transitions
from facecli.tasks.claims import Claim
from facecli.tasks.store import TaskStore
from facecli.tasks.task import TaskStatus
from facecli.tasks.worker_end import LEASE_EXPIRED, UNKNOWN, UNRESPONSIVE, WorkerEnd, exited
from tests.support.builders import NEW
from tests.support.storage import Storage


@pytest.fixture
def repository(storage: Storage) -> SqlTaskRepository:
    repository = storage.opened(SqlTaskRepository)
    repository.insert(NEW, task_id="t1", now=1.0)
    return repository


def store(repository: SqlTaskRepository) -> TaskStore:
    return TaskStore(repository, clock=lambda: 2.0, events=EventBus())


def lose(repository: SqlTaskRepository, claim: Claim, max_crashes: int = 5, end: WorkerEnd = UNKNOWN) -> None:
    change = partial(claims.release_after_crash, run=claim.run, max_crashes=max_crashes, end=end)
    repository.change("t1", change, now=2.0)


def test_a_claim_takes_a_task_and_starts_its_next_attempt(repository: SqlTaskRepository) -> None:
    claim = Claim(worker="w1")
    assert claim.take(store(repository), "t1").attempt == 1
    second = claim.take(store(repository), "t1")
    assert (second.attempt, second.run, second.worker, second.status) == (
        2,
        claim.run,
        "w1",
        TaskStatus.PROCESSING,
    )


def test_a_claim_that_lost_its_task_cannot_take_it_again(
    repository: SqlTaskRepository,
) -> None:
    frozen, other = Claim(worker="w1"), Claim(worker="w2")
    frozen.take(store(repository), "t1")
    lose(repository, frozen)
    with pytest.raises(TakenOver):
        frozen.take(store(repository), "t1")
    taken = other.take(store(repository), "t1")
    with pytest.raises(TakenOver):
        frozen.take(store(repository), "t1")
    assert repository.get("t1") == taken


def test_a_late_claim_does_not_take_a_task_from_another_worker(
    repository: SqlTaskRepository,
) -> None:
    taken = Claim(worker="w2").take(store(repository), "t1")
    with pytest.raises(TakenOver):
        Claim(worker="w1").take(store(repository), "t1")
    assert repository.get("t1") == taken


def test_an_ended_task_cannot_be_claimed(repository: SqlTaskRepository) -> None:
    repository.change("t1", transitions.cancel, now=2.0)
    with pytest.raises(TaskEnded):
        Claim(worker="w1").take(store(repository), "t1")


def test_the_last_allowed_crash_fails_the_task_with_its_reason(repository: SqlTaskRepository) -> None:
    for crashes in range(1, 4):
        claim = Claim(worker="w1")
        claim.take(store(repository), "t1")
        lose(repository, claim, max_crashes=3)
        assert repository.get("t1").crashes == crashes
    task = repository.get("t1")
    assert (task.status, task.error_reason) == (TaskStatus.FAILED, "PROGRAM_KILLED")
    assert task.error_message == (
        "3 attempts crashed without progress; at the last, its worker ended without returning its task"
    )


@pytest.mark.parametrize(
    ("end", "said"),
    [
        (exited(-signal.SIGKILL), "was killed by SIGKILL; it may need more memory than the worker has"),
        (exited(-signal.SIGSEGV), "was ended by SIGSEGV; see the log of the worker"),
        (exited(-40), "was ended by signal 40; see the log of the worker"),
        (exited(7), "exited with code 7; see the log of the worker"),
        (exited(0), "exited with code 0; see the log of the worker"),
        (LEASE_EXPIRED, "stopped sending heartbeats"),
        (UNRESPONSIVE, "did not respond and was killed"),
    ],
)
def test_only_sigkill_from_outside_suggests_that_memory_ran_out(
    repository: SqlTaskRepository, end: WorkerEnd, said: str
) -> None:
    claim = Claim(worker="w1")
    claim.take(store(repository), "t1")
    lose(repository, claim, max_crashes=1, end=end)
    assert repository.get("t1").error_message == (
        f"1 attempt crashed without progress; at the last, its worker {said}"
    )


def test_crashes_of_ffmpeg_and_of_workers_count_together(repository: SqlTaskRepository) -> None:
    claim, error = Claim(worker="w1"), ProgramKilled("ffmpeg was killed")
    task = claim.take(store(repository), "t1")
    crashed = claims.record_crash(replace(task, crashes=1), run=claim.run, max_crashes=3, error=error)
    assert (crashed.status, crashed.crashes) == (TaskStatus.PROCESSING, 2)
    failed = claims.record_crash(crashed, run=claim.run, max_crashes=3, error=error)
    assert failed.error_message == "ffmpeg was killed"


def test_a_released_task_counts_no_crash(repository: SqlTaskRepository) -> None:
    claim = Claim(worker="w1")
    task = claims.release(claim.take(store(repository), "t1"), run=claim.run)
    assert (task.status, task.crashes, task.run, task.worker) == (TaskStatus.PENDING, 0, "", "")
