"""Many watchers of one server: each sees every change in order, and frees its slot when it leaves."""

import logging
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Any

import grpc
import pytest

from facecli.bootstrap.server import run_server
from facecli.config.settings import Settings
from facecli.metadata.database import open_database
from facecli.metadata.tasks import SqlTaskRepository
from facecli.tasks import claims, transitions
from facecli.tasks.repository import TaskRepository
from facecli.tasks.task import Task
from facecli.wire.generated import task_service_pb2 as pb
from facecli.wire.generated import video_service_pb2 as video_pb
from tests.support.builders import NEW, claim
from tests.support.rpc.calls import logged_calls
from tests.support.rpc.refusals import refused
from tests.unit.rpc.conftest import Stubs

WATCHERS = 60


@contextmanager
def worker(settings: Settings) -> Iterator[TaskRepository]:
    """The repository of a worker with a claimed task."""
    engine = open_database(f"sqlite:///{settings.data_dir}/facecli.db")
    repository = SqlTaskRepository(engine)
    repository.insert(NEW, task_id="t1", now=time.time())
    claim(repository)
    try:
        yield repository
    finally:
        engine.dispose()


@pytest.fixture
def repository(stubs: Stubs, settings: Settings) -> Iterator[TaskRepository]:
    with worker(settings) as repository:
        yield repository


def advance(repository: TaskRepository, frames: int) -> Task:
    change = partial(
        transitions.advance, run="r1", progress=frames, stage="swapping", frames_done=frames, frames=100
    )
    return repository.change("t1", change, now=time.time())


def watch(stubs: Stubs, *, after: int = 0) -> Any:
    return stubs.tasks.WatchTask(pb.WatchTaskRequest(user_id="ann", task_id="t1", after_revision=after))


@contextmanager
def cancelled(call: Any) -> Iterator[Any]:
    yield call
    call.cancel()


def rest_of(call: Any) -> list[video_pb.TaskResponse]:
    return [answer.task for answer in call]


def check_updates(seen: list[video_pb.TaskResponse], *, last: Task) -> None:
    """Check that revisions only increase and that the end comes once."""
    revisions = [task.revision for task in seen]
    assert revisions == sorted(set(revisions))
    for name in ("attempt", "progress", "frames_done"):
        values = [getattr(task, name) for task in seen[:-1]]
        assert values == sorted(values)
    assert [task.revision for task in seen if task.status == "cancelled"] == [last.revision]


def test_many_watchers_see_every_change_in_order_and_the_end(
    stubs: Stubs, repository: TaskRepository
) -> None:
    calls = [watch(stubs) for _ in range(WATCHERS)]
    seen = [[next(call).task] for call in calls]
    for frames in range(1, 40):
        advance(repository, frames)
    last = repository.change("t1", transitions.cancel, now=time.time())
    with ThreadPoolExecutor(WATCHERS) as pool:
        for updates, rest in zip(seen, pool.map(rest_of, calls), strict=True):
            check_updates(updates + rest, last=last)


def test_a_watcher_sees_every_revision_of_a_slow_task(stubs: Stubs, repository: TaskRepository) -> None:
    calls = [watch(stubs) for _ in range(5)]
    for call in calls:
        next(call)
    for frames in range(1, 10):
        task = advance(repository, frames)
        assert [next(call).task.revision for call in calls] == [task.revision] * 5
    repository.change("t1", transitions.cancel, now=time.time())
    assert [[answer.task.status for answer in call] for call in calls] == [["cancelled"]] * 5


def test_a_reconnected_watcher_gets_missed_updates_and_none_twice(
    stubs: Stubs, repository: TaskRepository
) -> None:
    def work() -> Task:
        for frames in range(1, 60):
            advance(repository, frames)
        return repository.change("t1", transitions.cancel, now=time.time())

    updates = [next(watch(stubs)).task]
    with ThreadPoolExecutor(1) as pool:
        working = pool.submit(work)
        while updates[-1].status != "cancelled":
            with cancelled(watch(stubs, after=updates[-1].revision)) as call:
                updates.append(next(call).task)
        last = working.result()
    check_updates(updates, last=last)
    assert list(watch(stubs, after=last.revision)) == []


def test_progress_restarts_only_with_a_new_attempt(stubs: Stubs, repository: TaskRepository) -> None:
    call = watch(stubs)
    next(call)
    received = []
    for change in (
        partial(transitions.advance, run="r1", progress=50, stage="swapping", frames_done=50, frames=100),
        partial(claims.release, run="r1"),
        partial(transitions.claim, run="r2", worker="w2"),
        partial(transitions.advance, run="r2", progress=20, stage="swapping", frames_done=20),
        transitions.cancel,
    ):
        repository.change("t1", change, now=time.time())
        task = next(call).task
        received.append((task.status, task.attempt, task.frames_done, task.frames))
    assert received == [
        ("processing", 1, 50, 100),
        ("pending", 1, 50, 100),
        ("processing", 2, 0, 100),
        ("processing", 2, 20, 100),
        ("cancelled", 2, 20, 100),
    ]


def test_watching_a_task_of_another_user_looks_like_an_unknown_one(
    stubs: Stubs, repository: TaskRepository
) -> None:
    for user, task_id in (("bob", "t1"), ("ann", "nope")):
        call = stubs.tasks.WatchTask(pb.WatchTaskRequest(user_id=user, task_id=task_id))
        assert refused(lambda: list(call)) == (grpc.StatusCode.NOT_FOUND, "TASK_NOT_FOUND")  # noqa: B023


def test_a_watcher_that_left_frees_its_slot_and_is_in_the_access_log(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    with (
        caplog.at_level(logging.INFO, "facecli.access"),
        run_server(replace(settings, max_watchers=1)) as server,
        grpc.insecure_channel(server.address) as channel,
        worker(settings) as repository,
    ):
        stubs = Stubs(channel)
        for leave in (cancel, pass_the_deadline):
            leave(stubs)
            until_let_in(stubs).cancel()
        call = until_let_in(stubs)
        assert refused(lambda: list(watch(stubs)))[0] is grpc.StatusCode.RESOURCE_EXHAUSTED
        repository.change("t1", transitions.cancel, now=time.time())
        list(call)
        until_let_in(stubs)
    outcomes = {outcome for method, outcome in logged_calls(caplog) if method.endswith("/WatchTask")}
    assert outcomes == {"OK", "CANCELLED", "RESOURCE_EXHAUSTED"}


def cancel(stubs: Stubs) -> None:
    call = watch(stubs)
    next(call)
    call.cancel()


def pass_the_deadline(stubs: Stubs) -> None:
    request = pb.WatchTaskRequest(user_id="ann", task_id="t1")
    code, _ = refused(lambda: list(stubs.tasks.WatchTask(request, timeout=0.2)))
    assert code in {grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.RESOURCE_EXHAUSTED}


def until_let_in(stubs: Stubs) -> Any:
    """Watch again until the server has noticed that the last client left."""
    while True:
        call = watch(stubs)
        try:
            next(call)
        except grpc.RpcError as error:
            assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
            continue
        return call


def test_watchers_get_unavailable_when_the_server_stops(settings: Settings) -> None:
    with run_server(settings) as server, worker(settings):
        channel = grpc.insecure_channel(server.address)
        calls = [watch(Stubs(channel)) for _ in range(20)]
        for call in calls:
            next(call)
    for call in calls:
        with pytest.raises(grpc.RpcError) as caught:
            next(call)
        assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
        assert "watch again from the last revision" in str(caught.value.details())
    channel.close()
