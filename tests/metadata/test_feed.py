"""The polling feed: one thread, only while somebody watches, whatever the database says."""

import logging
import queue
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Engine

from facecli.core import tasks
from facecli.core.errors import Unavailable
from facecli.core.tasks import Change, NewTask, Task, TaskRows, TaskStatus
from facecli.metadata.feed import PollingFeed
from facecli.metadata.tasks import SqlTaskRows
from tests.contracts.test_task_rows import NEW


class CountedRows:
    """Real rows that count what the feed asks, and fail when told to."""

    def __init__(self, rows: TaskRows) -> None:
        self._rows = rows
        self.asked: list[Mapping[str, int]] = []
        self.failing = False

    def newer(self, revisions: Mapping[str, int]) -> Sequence[Task]:
        self.asked.append(revisions)
        if self.failing:
            raise Unavailable("the database is gone")
        return self._rows.newer(revisions)

    def insert(self, new: NewTask, *, task_id: str, now: float) -> Task:
        return self._rows.insert(new, task_id=task_id, now=now)

    def get(self, task_id: str, *, owner: str | None = None) -> Task:
        return self._rows.get(task_id, owner=owner)

    def listed(self, owner: str, *, status: TaskStatus | None, limit: int, before: str) -> Sequence[Task]:
        return self._rows.listed(owner, status=status, limit=limit, before=before)

    def change(self, task_id: str, change: Change, *, now: float) -> Task:
        return self._rows.change(task_id, change, now=now)

    def with_status(self, status: TaskStatus) -> Sequence[Task]:
        return self._rows.with_status(status)


class Ticks:
    """The feed's time: it waits until the test lets it go on."""

    def __init__(self) -> None:
        self.asked_for: queue.Queue[float] = queue.Queue()
        self._go = threading.Semaphore(0)

    def wait(self, seconds: float) -> None:
        self.asked_for.put(seconds)
        self._go.acquire()

    def next_poll(self) -> None:
        """Return when one more poll is over."""
        self._go.release()
        self.asked_for.get(timeout=5)

    def let_go(self) -> None:
        self._go.release()


@pytest.fixture
def rows(engine: Engine) -> CountedRows:
    return CountedRows(SqlTaskRows(engine))


@pytest.fixture
def ticks() -> Ticks:
    return Ticks()


@pytest.fixture
def feed(rows: CountedRows, ticks: Ticks) -> PollingFeed:
    return PollingFeed(rows, 0.1, wait=ticks.wait)


def never() -> bool:
    return False


def pollers() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "task-feed"]


@pytest.fixture(autouse=True)
def no_poller_is_left() -> Iterator[None]:
    yield
    for thread in pollers():
        thread.join(timeout=5)
    assert not pollers()


def watch(feed: PollingFeed, count: int, pool: ThreadPoolExecutor) -> Callable[[], list[list[Task]]]:
    """`count` watchers of t1, all waiting; call the result for what they saw."""
    waiting = threading.Semaphore(0)

    def one() -> list[Task]:
        def stopped() -> bool:
            waiting.release()
            return False

        return list(feed.follow("t1", after=1, stopped=stopped))

    watching = [pool.submit(one) for _ in range(count)]
    for _ in range(count):
        waiting.acquire()
    return lambda: [one.result(timeout=5) for one in watching]


def test_many_watchers_cost_one_thread_and_one_question_a_round(
    feed: PollingFeed, rows: CountedRows, ticks: Ticks
) -> None:
    rows.insert(NEW, task_id="t1", now=100.0)
    with ThreadPoolExecutor(200) as pool:
        ended = watch(feed, 200, pool)
        assert ticks.asked_for.get(timeout=5) == 0.1
        assert len(pollers()) == 1
        ticks.next_poll()
        assert rows.asked == [{"t1": 1}, {"t1": 1}]
        rows.change("t1", tasks.cancelled, now=101.0)
        ticks.next_poll()
        assert [[task.status for task in seen] for seen in ended()] == [[TaskStatus.CANCELLED]] * 200
    ticks.let_go()


def test_nobody_is_asked_for_nobody(feed: PollingFeed, rows: CountedRows) -> None:
    rows.insert(NEW, task_id="t1", now=100.0)
    assert next(feed.follow("t1", after=0, stopped=never)).id == "t1"
    rows.change("t1", tasks.cancelled, now=101.0)
    assert len(list(feed.follow("t1", after=0, stopped=never))) == 1
    assert rows.asked == []
    assert not pollers()


def test_polling_ends_with_the_last_watcher_and_begins_with_the_next(
    feed: PollingFeed, rows: CountedRows, ticks: Ticks
) -> None:
    rows.insert(NEW, task_id="t1", now=100.0)
    for _ in range(2):
        with ThreadPoolExecutor(1) as pool:
            ended = watch(feed, 1, pool)
            ticks.asked_for.get(timeout=5)
            (poller,) = pollers()
            rows.change("t1", tasks.cancelled, now=101.0)
            ticks.next_poll()
            assert len(ended()) == 1
        ticks.let_go()
        poller.join(timeout=5)
        assert not poller.is_alive()
        rows.change("t1", tasks.retried, now=102.0)


def test_a_database_that_is_gone_for_a_while_is_logged_once_and_nothing_is_lost(
    feed: PollingFeed, rows: CountedRows, ticks: Ticks, caplog: pytest.LogCaptureFixture
) -> None:
    rows.insert(NEW, task_id="t1", now=100.0)
    with ThreadPoolExecutor(1) as pool, caplog.at_level(logging.INFO):
        ended = watch(feed, 1, pool)
        ticks.asked_for.get(timeout=5)
        rows.failing = True
        ticks.next_poll()
        ticks.next_poll()
        rows.change("t1", tasks.cancelled, now=101.0)
        rows.failing = False
        ticks.next_poll()
        assert [task.status for (task,) in ended()] == [TaskStatus.CANCELLED]
    ticks.let_go()
    assert [record.message for record in caplog.records] == [
        "the task feed waits for the database: the database is gone"
    ]


def test_a_late_watcher_sees_what_the_others_saw(feed: PollingFeed, rows: CountedRows, ticks: Ticks) -> None:
    rows.insert(NEW, task_id="t1", now=100.0)
    with ThreadPoolExecutor(2) as pool:
        first = watch(feed, 1, pool)
        ticks.asked_for.get(timeout=5)
        rows.change("t1", tasks.cancelled, now=101.0)
        assert [task.status for task in feed.follow("t1", after=1, stopped=never)] == [TaskStatus.CANCELLED]
        ticks.next_poll()
        assert [task.status for (task,) in first()] == [TaskStatus.CANCELLED]
    ticks.let_go()
