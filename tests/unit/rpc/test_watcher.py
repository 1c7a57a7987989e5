"""A watcher is sent one message at a time, always the newest."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

import grpc
import pytest

from facecli.api.task_changes import TaskChanges
from facecli.core.errors import Unavailable
from facecli.rpc.send_pool import SendPool
from facecli.rpc.watch_stream import KEEP_ALIVE, Encoder, TasksWatcher, Watcher
from facecli.tasks import transitions
from facecli.tasks.selection import TaskSnapshot, TaskState
from facecli.tasks.task import Task, TaskStatus
from tests.support.builders import task_in
from tests.support.storage import Clock


class ManualSendPool:
    """A send pool that runs its sends when the test decides."""

    def __init__(self) -> None:
        self.jobs: list[Callable[[], None]] = []

    def submit(self, send: Callable[[], None]) -> None:
        self.jobs.append(send)


class Call:
    """Records the revisions sent and the end of a call. `meanwhile` runs during the next send."""

    def __init__(self) -> None:
        self.sent: list[int] = []
        self.ended = False
        self.code: object = None
        self.meanwhile: Callable[[], None] = lambda: None

    def send(self, message: Any) -> None:
        assert not self.ended
        if message is None:
            self.ended = True
            return
        self.sent.append(message.task.revision)
        meanwhile, self.meanwhile = self.meanwhile, lambda: None
        meanwhile()

    def set_code(self, code: object) -> None:
        self.code = code

    def set_details(self, details: str) -> None: ...

    def set_trailing_metadata(self, metadata: object) -> None: ...


def at(revision: int) -> Task:
    return replace(task_in(TaskStatus.PROCESSING), revision=revision)


@pytest.fixture
def due() -> ManualSendPool:
    return ManualSendPool()


@pytest.fixture
def call() -> Call:
    return Call()


@pytest.fixture
def watcher(due: ManualSendPool, call: Call) -> Watcher:
    return Watcher(
        cast(Any, call),
        call.send,
        after=2,
        send_pool=cast(SendPool, due),
        encoder=Encoder(),
        request_id="0123456789ab",
    )


def do_all(due: ManualSendPool) -> None:
    while due.jobs:
        due.jobs.pop(0)()


def test_only_the_newest_of_the_changes_during_a_send_follows(
    watcher: Watcher, due: ManualSendPool, call: Call
) -> None:
    def change_twice() -> None:
        watcher.changed(at(4))
        watcher.changed(at(5))
        assert due.jobs == []

    call.meanwhile = change_twice
    watcher.changed(at(3))
    (deliver,) = due.jobs
    due.jobs.clear()
    deliver()
    assert len(due.jobs) == 1
    do_all(due)
    assert call.sent == [3, 5]
    assert not call.ended


def test_a_revision_that_the_client_has_seen_is_not_sent(
    watcher: Watcher, due: ManualSendPool, call: Call
) -> None:
    for revision in (1, 2):
        watcher.changed(at(revision))
        do_all(due)
    assert call.sent == []


def test_the_end_of_the_task_ends_the_call_and_nothing_follows(
    watcher: Watcher, due: ManualSendPool, call: Call
) -> None:
    watcher.changed(transitions.cancel(at(3)))
    do_all(due)
    watcher.changed(at(4))
    watcher.end(Unavailable("shutting down"))
    do_all(due)
    assert (call.sent, call.ended, call.code) == ([3], True, grpc.StatusCode.OK)


def test_the_newest_revision_is_sent_before_an_error(
    watcher: Watcher, due: ManualSendPool, call: Call
) -> None:
    watcher.changed(at(3))
    watcher.end(Unavailable("shutting down"))
    do_all(due)
    assert (call.sent, call.ended, call.code) == ([3], True, grpc.StatusCode.UNAVAILABLE)


class TasksCall(Call):
    """Records the task IDs of each message."""

    def __init__(self) -> None:
        super().__init__()
        self.messages: list[list[str]] = []

    def receive(self, message: Any) -> None:
        if message is None:
            self.ended = True
        else:
            self.messages.append([task.task_id for task in message.tasks])


def test_a_stream_of_several_tasks_sends_a_sign_of_life_after_silence(due: ManualSendPool) -> None:
    call, now = TasksCall(), Clock()
    changes = TaskChanges({}, owner="ann", all=True, read=lambda ids, owner: [at(1)])
    watcher = TasksWatcher(
        cast(Any, call),
        call.receive,
        changes=changes,
        send_pool=cast(SendPool, due),
        request_id="0123456789ab",
        clock=now,
    )
    watcher.changed(TaskSnapshot(states={}))
    do_all(due)
    assert call.messages == [[]]
    for seconds in (KEEP_ALIVE - 1, 1):
        now.now += seconds
        watcher.keep_alive()
        do_all(due)
    assert call.messages == [[], []]
    watcher.changed(TaskSnapshot(states={at(1).id: TaskState(1, False)}))
    do_all(due)
    watcher.end(Unavailable("shutting down"))
    do_all(due)
    assert (call.messages[2:], call.ended) == ([[at(1).id]], True)
    assert call.code is grpc.StatusCode.UNAVAILABLE
