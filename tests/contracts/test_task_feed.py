"""The contract of every TaskFeed."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from queue import SimpleQueue
from threading import Event

import pytest

from facecli.core.errors import TaskNotFound
from facecli.tasks import transitions
from facecli.tasks.feed import TaskFeed
from facecli.tasks.repository import TaskRepository
from facecli.tasks.task import Task, TaskStatus
from facecli.uploads.repository import UploadRepository
from tests.support.builders import NEW, claim

DEADLINE = 60.0  # seconds until a test gives up

Open = Callable[[], tuple[UploadRepository, TaskRepository]]


class Watcher:
    """A watcher of a task."""

    def __init__(self, feed: TaskFeed, task_id: str = "t1") -> None:
        self._queue = SimpleQueue[Task]()
        self.leave = feed.watch(task_id, self._queue.put)

    def next(self) -> Task:
        return self._queue.get(timeout=DEADLINE)

    def until_end(self) -> list[Task]:
        """All states delivered since the last call, up to the end."""
        seen = [self.next()]
        while not seen[-1].ended:
            seen.append(self.next())
        return seen

    @property
    def unread(self) -> int:
        return self._queue.qsize()


def advance(repository: TaskRepository, progress: int, task_id: str = "t1") -> Task:
    change = partial(transitions.advance, run="r1", progress=progress, stage="swapping")
    return repository.change(task_id, change, now=101.0 + progress)


def test_the_current_task_is_delivered_before_watch_returns(
    task_repository: TaskRepository, feed: TaskFeed
) -> None:
    task = task_repository.insert(NEW, task_id="t1", now=100.0)
    delivered: list[Task] = []
    feed.watch("t1", delivered.append)()
    assert delivered == [task]


def test_every_change_is_delivered_until_the_end(open_repositories: Open, feed: TaskFeed) -> None:
    worker = open_repositories()[1]
    worker.insert(NEW, task_id="t1", now=100.0)
    watcher = Watcher(feed)
    assert watcher.next().status is TaskStatus.PENDING
    claimed = claim(worker)
    assert watcher.next() == claimed
    advanced = advance(worker, 10)
    assert watcher.next() == advanced
    ended = worker.change("t1", transitions.cancel, now=120.0)
    assert watcher.until_end() == [ended]


def test_an_ended_task_is_delivered_once_and_is_the_last(
    task_repository: TaskRepository, feed: TaskFeed
) -> None:
    task_repository.insert(NEW, task_id="t1", now=100.0)
    task_repository.insert(NEW, task_id="t2", now=100.0)
    early, other = Watcher(feed), Watcher(feed, "t2")
    assert early.next().status is TaskStatus.PENDING
    ended = task_repository.change("t1", transitions.cancel, now=102.0)
    late = Watcher(feed)
    assert early.next() == late.next() == ended
    task_repository.change("t1", transitions.retry, now=103.0)
    task_repository.change("t2", transitions.cancel, now=104.0)
    assert other.until_end()[-1].ended  # the feed has seen both by now
    assert early.unread == late.unread == 0


def test_a_watcher_that_comes_after_a_retry_sees_the_next_round(
    task_repository: TaskRepository, feed: TaskFeed
) -> None:
    task_repository.insert(NEW, task_id="t1", now=100.0)
    first = Watcher(feed)
    task_repository.change("t1", transitions.cancel, now=102.0)
    assert first.until_end()[-1].round == 1
    retried = task_repository.change("t1", transitions.retry, now=103.0)
    second = Watcher(feed)
    assert second.next() == retried
    task_repository.change("t1", transitions.cancel, now=104.0)
    assert [task.round for task in second.until_end()] == [2]


def test_an_unknown_task_is_refused(feed: TaskFeed) -> None:
    with pytest.raises(TaskNotFound):
        feed.watch("nope", lambda task: None)


def test_a_watcher_that_left_receives_no_more_changes(
    task_repository: TaskRepository, feed: TaskFeed
) -> None:
    task_repository.insert(NEW, task_id="t1", now=100.0)
    first, second = Watcher(feed), Watcher(feed)
    assert first.next() == second.next()
    first.leave()
    first.leave()
    task_repository.change("t1", transitions.cancel, now=102.0)
    assert [task.status for task in second.until_end()] == [TaskStatus.CANCELLED]
    assert first.unread == 0


def test_a_change_during_registration_is_not_missed(open_repositories: Open, feed: TaskFeed) -> None:
    worker, ready = open_repositories()[1], Event()
    worker.insert(NEW, task_id="t1", now=100.0)
    claim(worker)

    def change_repeatedly() -> None:
        for progress in range(1, 60):
            advance(worker, progress)
            if progress == 10:
                ready.set()
        worker.change("t1", transitions.cancel, now=200.0)

    with ThreadPoolExecutor(1) as pool:
        changing = pool.submit(change_repeatedly)
        ready.wait()
        watchers = [Watcher(feed) for _ in range(30)]
        for watcher in watchers:
            check_sequence(watcher.until_end())
        changing.result()


def test_every_watcher_sees_increasing_revisions_and_the_end(
    task_repository: TaskRepository, feed: TaskFeed
) -> None:
    for task_id in ("t1", "t2"):
        task_repository.insert(NEW, task_id=task_id, now=100.0)
        claim(task_repository, task_id)
    watchers = [Watcher(feed, f"t{1 + number % 2}") for number in range(40)]
    for progress in range(1, 20):
        for task_id in ("t1", "t2"):
            advance(task_repository, progress, task_id)
    for task_id in ("t1", "t2"):
        task_repository.change(task_id, transitions.cancel, now=130.0)
    for watcher in watchers:
        check_sequence(watcher.until_end())


def check_sequence(seen: list[Task]) -> None:
    revisions = [task.revision for task in seen]
    assert revisions == sorted(set(revisions))
    progress = [task.progress for task in seen]
    assert progress == sorted(progress)
    assert [task.status for task in seen if task.ended] == [TaskStatus.CANCELLED]
