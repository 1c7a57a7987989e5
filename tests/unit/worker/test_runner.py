"""TaskRunner: the order of tasks, retries with backoff, and failing a task that hits a bug."""

import logging
import threading
from asyncio import CancelledError
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import pytest

from facecli.core.backoff import JITTER
from facecli.core.errors import DiskFull, FacecliError, TaskNotFound, Unavailable
from facecli.tasks.claims import Claim
from facecli.tasks.logs.handler import TaskLogHandler
from facecli.tasks.logs.run_log import RunLog
from facecli.worker.runner import FIRST_DELAY, MAX_DELAY, TaskRunner
from tests.support.tasks.logs import MemoryTaskLogs

T = TypeVar("T")
Run = Callable[..., None]


class RecordingEvent(threading.Event):
    """An event whose `wait` returns at once and records the delay."""

    def __init__(self) -> None:
        super().__init__()
        self.delays: list[float] = []

    def wait(self, timeout: float | None = None) -> bool:
        assert timeout is not None
        self.delays.append(timeout)
        return False


class FailingWorkflow:
    """A workflow that raises these errors, one per run, and then succeeds."""

    def __init__(self, *errors: BaseException) -> None:
        self._errors = list(errors)
        self.claims: list[Claim] = []
        self.tasks: list[str] = []
        self.bugs: list[str] = []

    def run(self, task_id: str, claim: Claim, log: RunLog) -> None:
        self.claims.append(claim)
        self.tasks.append(task_id)
        if self._errors:
            raise self._errors.pop(0)

    def fail_with_bug(self, task_id: str, claim: Claim, log: RunLog, error_id: str) -> None:
        self.bugs.append(error_id)
        log.flush()


class Turns:
    """A dispatch that chooses these tasks, and then none; an error stands for a database that is away.

    `waiting` are those that still wait after a run, one answer for each question.
    """

    def __init__(self, *chosen: str | FacecliError, waiting: Sequence[bool | FacecliError] = ()) -> None:
        self._chosen, self._waiting = list(chosen), list(waiting)

    def next(self) -> str | None:
        return answered(self._chosen.pop(0)) if self._chosen else None

    def waits(self, task_id: str) -> bool:
        assert task_id == "t1"
        return answered(self._waiting.pop(0))


def answered(answer: T | FacecliError) -> T:
    if isinstance(answer, FacecliError):
        raise answer
    return answer


@pytest.fixture
def stopping() -> RecordingEvent:
    return RecordingEvent()


@pytest.fixture
def logs() -> MemoryTaskLogs:
    return MemoryTaskLogs()


@pytest.fixture
def run(stopping: RecordingEvent, logs: MemoryTaskLogs) -> Run:
    def run(workflow: FailingWorkflow, turns: Turns | None = None) -> None:
        fake: Any = workflow
        dispatch: Any = turns or Turns()
        runner = TaskRunner(
            fake,
            worker="w1",
            dispatch=dispatch,
            stopping=stopping,
            open_log=lambda task_id, run: RunLog(logs, task_id, run=run),
        )
        runner.run("t1")

    return run


@pytest.mark.parametrize("error", [Unavailable("away"), DiskFull("full")])
def test_an_interrupted_task_is_run_again_under_the_same_claim(
    run: Run, stopping: RecordingEvent, error: FacecliError
) -> None:
    workflow = FailingWorkflow(*[error] * 9)
    run(workflow)
    assert len(workflow.claims) == 10
    assert len(set(map(id, workflow.claims))) == 1
    assert stopping.delays[0] <= FIRST_DELAY * (1 + JITTER)
    assert MAX_DELAY * (1 - JITTER) <= stopping.delays[-1] <= MAX_DELAY * (1 + JITTER)


@pytest.mark.parametrize("bug", [KeyError("odd"), SystemExit(3), CancelledError()])
def test_a_task_that_hits_a_bug_fails_with_the_id_that_the_log_has(
    run: Run, caplog: pytest.LogCaptureFixture, bug: BaseException
) -> None:
    workflow = FailingWorkflow(bug)
    run(workflow)
    (record,) = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert [vars(record)["error_id"]] == workflow.bugs
    assert record.exc_info


def test_the_log_of_the_task_has_each_interruption_at_once_and_the_bug(
    run: Run, logs: MemoryTaskLogs
) -> None:
    run(FailingWorkflow(Unavailable("away"), DiskFull("full"), KeyError("odd")))
    assert [len(batch) for batch in logs.batches] == [1, 1, 1]
    away, full, bug = logs.texts
    assert away.startswith("task interrupted; will be retried ")
    assert away.endswith("error=away")
    assert full.endswith("error=full")
    assert ": KeyError: 'odd' (at tests.unit.worker.test_runner.FailingWorkflow.run:" in bug
    assert logging.getLogger().handlers
    assert not any(isinstance(handler, TaskLogHandler) for handler in logging.getLogger().handlers)


@pytest.mark.parametrize(
    ("turns", "ran"),
    [
        (Turns(), ["t1"]),
        (Turns("t1"), ["t1"]),
        (Turns("t7", "t8", "t1", waiting=[True, True]), ["t7", "t8", "t1"]),
        (Turns("t7", waiting=[False]), ["t7", "t1"]),
        (Turns("t7", waiting=[TaskNotFound("gone")]), ["t7", "t1"]),
        (Turns("t7", waiting=[Unavailable("away")]), ["t7", "t1"]),
        (Turns(Unavailable("away")), ["t1"]),
    ],
)
def test_a_delivery_runs_the_tasks_whose_turn_it_is_and_then_its_own_task(
    run: Run, turns: Turns, ran: list[str]
) -> None:
    workflow = FailingWorkflow()
    run(workflow, turns)
    assert workflow.tasks == ran
