"""ProgressReporter: percentages of the steps, and the loss of the task."""

from typing import Any

import pytest

from facecli.core.errors import TakenOver, Unavailable
from facecli.core.events import EventBus
from facecli.metadata.tasks import SqlTaskRepository
from facecli.tasks import transitions
from facecli.tasks.claims import Claim
from facecli.tasks.logs.run_log import FLUSH_INTERVAL, RunLog
from facecli.tasks.progress_reporter import CANCEL_CHECK_INTERVAL, PROGRESS_INTERVAL, ProgressReporter
from facecli.tasks.store import TaskStore
from facecli.tasks.task import TaskStatus
from facecli.tasks.workflow import STEPS
from tests.support.builders import NEW, task_in
from tests.support.storage import Clock, Storage
from tests.support.tasks.logs import MemoryTaskLogs

FRAMES = 200


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(storage: Storage, clock: Clock) -> TaskStore:
    store = TaskStore(storage.opened(SqlTaskRepository), clock=clock, events=EventBus())
    store.repository.insert(NEW, task_id="t1", now=1.0)
    return store


@pytest.fixture
def logs() -> MemoryTaskLogs:
    return MemoryTaskLogs()


@pytest.fixture
def log(logs: MemoryTaskLogs, monotonic: Clock) -> RunLog:
    return RunLog(logs, "t1", run="r1", monotonic=monotonic)


@pytest.fixture
def reporter(store: TaskStore, log: RunLog) -> ProgressReporter:
    """The reporter of a run that has reached the swap."""
    task = Claim(worker="w1").take(store, "t1")
    reporter = ProgressReporter(store, task, total_weight=sum(step.weight for step in STEPS), log=log)
    for step in STEPS[:3]:
        reporter.enter(step.name, weight=step.weight)
    return reporter


def test_a_step_is_invisible_until_its_first_report(store: TaskStore, reporter: ProgressReporter) -> None:
    task = store.repository.get("t1")
    assert (task.stage, task.progress) == ("starting", 0)


@pytest.mark.parametrize(("done", "percent"), [(0, 2), (1, 2), (3, 3), (100, 48), (199, 93), (200, 94)])
def test_swapped_frames_map_to_2_to_94_percent(
    store: TaskStore, reporter: ProgressReporter, done: int, percent: int
) -> None:
    reporter.frames(done, FRAMES)
    task = store.repository.get("t1")
    assert (task.stage, task.progress, task.frames_done, task.frames) == ("swapping", percent, done, FRAMES)


def test_joining_is_95_percent_and_publishing_98(store: TaskStore, reporter: ProgressReporter) -> None:
    reports = []
    for step in STEPS[3:]:
        reporter.enter(step.name, weight=step.weight)
        reporter.started(frames=FRAMES)
        task = store.repository.get("t1")
        reports.append((task.stage, task.progress, task.frames_done))
    assert reports == [
        ("joining", 95, FRAMES),
        ("labelling", 96, FRAMES),
        ("comparing", 97, FRAMES),
        ("publishing", 98, FRAMES),
    ]


def test_a_run_that_lost_its_task_reports_nothing_and_stops(
    store: TaskStore, reporter: ProgressReporter, clock: Clock
) -> None:
    assert not reporter.stopped()
    cancelled = store.change("t1", transitions.cancel)
    clock.now += max(PROGRESS_INTERVAL, CANCEL_CHECK_INTERVAL)
    assert reporter.stopped()
    reporter.frames(FRAMES, FRAMES)
    with pytest.raises(TakenOver):
        reporter.started()
    assert store.repository.get("t1") == cancelled


def test_the_log_is_stored_with_reports_once_per_interval(
    logs: MemoryTaskLogs, monotonic: Clock, log: RunLog, clock: Clock, reporter: ProgressReporter
) -> None:
    for number in range(6):
        log.add(level="INFO", logger="engine", text=f"{number}")
        clock.now += PROGRESS_INTERVAL
        reporter.frames(number, FRAMES)
        monotonic.now += FLUSH_INTERVAL / 2
    assert [len(batch) for batch in logs.batches] == [3, 2]


def test_the_log_is_not_stored_when_the_report_was_not(
    logs: MemoryTaskLogs, monotonic: Clock, log: RunLog
) -> None:
    """A log must not wait for a database longer than the run does anyway."""

    class Away:
        def change(self, *what: object, **more: object) -> None:
            raise Unavailable("away")

    repository: Any = Away()
    store = TaskStore(repository, clock=Clock(), events=EventBus())
    reporter = ProgressReporter(store, task_in(TaskStatus.PROCESSING), total_weight=100, log=log)
    log.add(level="INFO", logger="engine", text="1")
    monotonic.now += FLUSH_INTERVAL
    reporter.frames(1, FRAMES)
    assert logs.batches == []


def test_a_run_that_lost_its_task_stores_no_log(
    store: TaskStore, logs: MemoryTaskLogs, monotonic: Clock, log: RunLog, reporter: ProgressReporter
) -> None:
    store.change("t1", transitions.cancel)
    log.add(level="INFO", logger="engine", text="late")
    monotonic.now += FLUSH_INTERVAL
    reporter.frames(1, FRAMES)
    assert reporter.stopped()
    assert logs.batches == []
