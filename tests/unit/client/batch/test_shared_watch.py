"""The watch of tasks for many threads, on a watch in memory."""

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from queue import SimpleQueue
from threading import Event
from typing import cast

import pytest

from facecli.client.watches.shared_watch import SharedWatch
from facecli.client.watches.tasks_watch import TaskChange, TasksWatch
from facecli.core.backoff import Waiting
from facecli.core.errors import Cancelled, TaskNotFound, Unavailable
from facecli.tasks.task import TaskStatus
from facecli.tasks.view import TaskView
from tests.support.views import task_view_in

Message = TaskChange | Unavailable | None  # None for an interrupt


class Watch:
    """A watch whose changes a test sends."""

    def __init__(self, revisions: Mapping[str, int]) -> None:
        self.revisions = dict(revisions)
        self.interrupted = Event()
        self._messages = SimpleQueue[Message]()

    def send(self, message: Message) -> None:
        self._messages.put(message)

    def interrupt(self) -> None:
        self.interrupted.set()
        self.send(None)

    def changes(self, waiting: Waiting) -> Iterator[TaskChange]:
        while message := self._messages.get():
            if isinstance(message, Unavailable):
                raise message
            yield message


class Opened:
    """The watches that are opened, in order."""

    def __init__(self) -> None:
        self._watches = SimpleQueue[Watch]()

    def open(self, revisions: Mapping[str, int]) -> TasksWatch:
        watch = Watch(revisions)
        self._watches.put(watch)
        return cast(TasksWatch, watch)

    def next(self) -> Watch:
        return self._watches.get(timeout=60)


def task_view(task_id: str, status: str, revision: int) -> TaskView:
    return replace(task_view_in(TaskStatus(status)), id=task_id, revision=revision)


def nobody(task_id: str) -> Iterator[TaskView]:
    raise AssertionError(task_id)


def change(task: TaskView) -> TaskChange:
    return TaskChange(task.id, task)


def test_a_task_that_is_added_joins_the_others_on_the_next_stream() -> None:
    opened, threads = Opened(), ThreadPoolExecutor(3)
    shared = SharedWatch(opened.open, nobody)
    seen = list[int]()
    one = threads.submit(shared.wait, task_view("1", "pending", 1), lambda task: seen.append(task.revision))
    first = opened.next()
    assert first.revisions == {"1": 1}
    first.send(change(task_view("1", "processing", 4)))
    two = threads.submit(shared.wait, task_view("2", "pending", 2), lambda task: None)
    assert first.interrupted.wait(60)
    second = opened.next()
    assert second.revisions == {"1": 4, "2": 2}
    second.send(change(task_view("1", "completed", 5)))
    assert (one.result().status, seen) == ("completed", [4, 5])
    second.send(TaskChange("2", None))
    with pytest.raises(TaskNotFound):
        two.result()
    assert shared.wait(task_view("3", "failed", 1), lambda task: None).status == "failed"
    shared.stop(Cancelled())


def test_an_error_of_the_stream_is_that_of_every_task() -> None:
    opened = Opened()
    shared = SharedWatch(opened.open, nobody)
    waiting = ThreadPoolExecutor(1).submit(shared.wait, task_view("1", "pending", 1), lambda task: None)
    opened.next().send(Unavailable("away"))
    with pytest.raises(Unavailable, match="away"):
        waiting.result()
    with pytest.raises(Unavailable, match="away"):
        shared.wait(task_view("2", "pending", 1), lambda task: None)
