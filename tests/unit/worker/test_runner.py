"""TaskRunner: retries with backoff, and failing a task that hits a bug."""

import logging
import threading
from asyncio import CancelledError
from collections.abc import Callable
from typing import Any

import pytest

from facecli.core.backoff import JITTER
from facecli.core.errors import DiskFull, FacecliError, Unavailable
from facecli.tasks.claims import Claim
from facecli.tasks.logs.handler import TaskLogHandler
from facecli.tasks.logs.run_log import RunLog
from facecli.worker.runner import FIRST_DELAY, MAX_DELAY, TaskRunner
from tests.support.tasks.logs import MemoryTaskLogs


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
        self.bugs: list[str] = []

    def run(self, task_id: str, claim: Claim, log: RunLog) -> None:
        self.claims.append(claim)
        if self._errors:
            raise self._errors.pop(0)

    def fail_with_bug(self, task_id: str, claim: Claim, log: RunLog, error_id: str) -> None:
        self.bugs.append(error_id)
        log.flush()


@pytest.fixture
def stopping() -> RecordingEvent:
    return RecordingEvent()


@pytest.fixture
def logs() -> MemoryTaskLogs:
    return MemoryTaskLogs()


@pytest.fixture
def run(stopping: RecordingEvent, logs: MemoryTaskLogs) -> Callable[[FailingWorkflow], None]:
    def run(workflow: FailingWorkflow) -> None:
        fake: Any = workflow
        runner = TaskRunner(
            fake, worker="w1", stopping=stopping, open_log=lambda task_id, run: RunLog(logs, task_id, run=run)
        )
        runner.run("t1")

    return run


@pytest.mark.parametrize("error", [Unavailable("away"), DiskFull("full")])
def test_an_interrupted_task_is_run_again_under_the_same_claim(
    run: Callable[[FailingWorkflow], None], stopping: RecordingEvent, error: FacecliError
) -> None:
    workflow = FailingWorkflow(*[error] * 9)
    run(workflow)
    assert len(workflow.claims) == 10
    assert len(set(map(id, workflow.claims))) == 1
    assert stopping.delays[0] <= FIRST_DELAY * (1 + JITTER)
    assert MAX_DELAY * (1 - JITTER) <= stopping.delays[-1] <= MAX_DELAY * (1 + JITTER)


@pytest.mark.parametrize("bug", [KeyError("odd"), SystemExit(3), CancelledError()])
def test_a_task_that_hits_a_bug_fails_with_the_id_that_the_log_has(
    run: Callable[[FailingWorkflow], None], caplog: pytest.LogCaptureFixture, bug: BaseException
) -> None:
    workflow = FailingWorkflow(bug)
    run(workflow)
    (record,) = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert [vars(record)["error_id"]] == workflow.bugs
    assert record.exc_info


def test_the_log_of_the_task_has_each_interruption_at_once_and_the_bug(
    run: Callable[[FailingWorkflow], None], logs: MemoryTaskLogs
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
