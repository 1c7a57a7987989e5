"""TaskRunner: retries with backoff, and failing a task that hits a bug."""

import logging
import threading
from collections.abc import Callable
from typing import Any

import pytest

from facecli.core.backoff import JITTER
from facecli.core.errors import DiskFull, FacecliError, Unavailable
from facecli.tasks.claims import Claim
from facecli.worker.runner import FIRST_DELAY, MAX_DELAY, TaskRunner


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

    def __init__(self, *errors: Exception) -> None:
        self._errors = list(errors)
        self.claims: list[Claim] = []
        self.bugs: list[str] = []

    def run(self, task_id: str, claim: Claim) -> None:
        self.claims.append(claim)
        if self._errors:
            raise self._errors.pop(0)

    def fail_with_bug(self, task_id: str, claim: Claim, error_id: str) -> None:
        self.bugs.append(error_id)


@pytest.fixture
def stopping() -> RecordingEvent:
    return RecordingEvent()


@pytest.fixture
def run(stopping: RecordingEvent) -> Callable[[FailingWorkflow], None]:
    def run(workflow: FailingWorkflow) -> None:
        fake: Any = workflow
        TaskRunner(fake, worker="w1", stopping=stopping).run("t1")

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


def test_a_task_that_hits_a_bug_fails_with_the_id_that_the_log_has(
    run: Callable[[FailingWorkflow], None], caplog: pytest.LogCaptureFixture
) -> None:
    workflow = FailingWorkflow(KeyError("odd"))
    run(workflow)
    (record,) = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert [vars(record)["error_id"]] == workflow.bugs
    assert record.exc_info
