"""What every TaskFeed does."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

from facecli.core import tasks
from facecli.core.errors import TaskNotFound
from facecli.core.tasks import Task, TaskFeed, TaskRows, TaskStatus
from facecli.core.uploads import UploadRows
from tests.contracts.test_task_rows import NEW, claim


def on() -> bool:
    return False


def test_the_task_as_it_is_comes_first(task_rows: TaskRows, feed: TaskFeed) -> None:
    task = task_rows.insert(NEW, task_id="t1", now=100.0)
    following = feed.follow("t1", after=0, stopped=on)
    assert next(following) == task


def test_then_every_change_until_the_end(
    open_rows: Callable[[], tuple[UploadRows, TaskRows]], feed: TaskFeed
) -> None:
    worker = open_rows()[1]
    worker.insert(NEW, task_id="t1", now=100.0)
    seen = []
    for task in feed.follow("t1", after=0, stopped=on):
        seen.append((task.revision, task.status))
        if task.status is TaskStatus.PENDING:
            claim(worker)
        elif task.status is TaskStatus.PROCESSING:
            worker.change("t1", tasks.cancelled, now=102.0)
    assert seen == [(1, TaskStatus.PENDING), (2, TaskStatus.PROCESSING), (3, TaskStatus.CANCELLED)]


def test_only_what_is_above_the_revision_that_was_seen(task_rows: TaskRows, feed: TaskFeed) -> None:
    task_rows.insert(NEW, task_id="t1", now=100.0)
    claim(task_rows)
    task_rows.change("t1", tasks.cancelled, now=102.0)
    assert [task.revision for task in feed.follow("t1", after=1, stopped=on)] == [3]
    assert [task.revision for task in feed.follow("t1", after=3, stopped=on)] == []


def test_a_revision_from_the_future_waits_for_the_end(task_rows: TaskRows, feed: TaskFeed) -> None:
    task_rows.insert(NEW, task_id="t1", now=100.0)
    with ThreadPoolExecutor(1) as pool:
        watching = pool.submit(lambda: list(feed.follow("t1", after=9, stopped=on)))
        task_rows.change("t1", tasks.cancelled, now=102.0)
        assert watching.result() == []


def test_an_unknown_task_is_named(feed: TaskFeed) -> None:
    with pytest.raises(TaskNotFound):
        next(feed.follow("nope", after=0, stopped=on))


def test_a_watcher_can_be_stopped(task_rows: TaskRows, feed: TaskFeed) -> None:
    task_rows.insert(NEW, task_id="t1", now=100.0)
    stop, waiting = threading.Event(), threading.Event()

    def stopped() -> bool:
        waiting.set()
        return stop.is_set()

    with ThreadPoolExecutor(1) as pool:
        watching = pool.submit(lambda: list(feed.follow("t1", after=1, stopped=stopped)))
        waiting.wait()
        stop.set()
        assert watching.result(timeout=5) == []


def test_every_watcher_sees_time_go_forward_only_and_the_end(task_rows: TaskRows, feed: TaskFeed) -> None:
    for task_id in ("t1", "t2"):
        task_rows.insert(NEW, task_id=task_id, now=100.0)
        claim(task_rows, task_id)
    watchers = threading.Barrier(41)

    def watch(watcher: int) -> list[Task]:
        following = feed.follow(f"t{1 + watcher % 2}", after=0, stopped=on)
        seen = [next(following)]
        watchers.wait()
        return seen + list(following)

    with ThreadPoolExecutor(40) as pool:
        watching = pool.map(watch, range(40))
        watchers.wait()
        for progress in range(1, 20):
            for task_id in ("t1", "t2"):
                change = partial(tasks.advanced, run="r1", progress=progress, stage="swapping")
                task_rows.change(task_id, change, now=101.0 + progress)
        for task_id in ("t1", "t2"):
            task_rows.change(task_id, tasks.cancelled, now=130.0)
        for seen in watching:
            revisions = [task.revision for task in seen]
            assert revisions == sorted(set(revisions))
            assert seen[-1].status is TaskStatus.CANCELLED
