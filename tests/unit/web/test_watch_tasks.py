"""WatchTasks: one stream for many tasks, over gRPC and gRPC-Web alike, that loses nothing when it resumes."""

import time
from collections.abc import Iterator

import grpc
import pytest

from facecli.bootstrap.server import Running
from facecli.config.settings import Settings
from facecli.metadata.database import open_database
from facecli.metadata.tasks import SqlTaskRepository
from facecli.tasks import transitions
from facecli.tasks.repository import TaskRepository
from facecli.wire.generated import task_service_pb2 as pb
from tests.support.builders import NEW
from tests.support.rpc.refusals import refused
from tests.support.web.grpc_web import WebChannel
from tests.unit.rpc.conftest import Stubs
from tests.unit.web.conftest import ServeHttp


@pytest.fixture
def served(serve_http: ServeHttp) -> Iterator[Running]:
    with serve_http() as running:
        yield running


@pytest.fixture(params=["gRPC", "gRPC-Web"])
def stubs(served: Running, request: pytest.FixtureRequest) -> Iterator[Stubs]:
    web = request.param == "gRPC-Web"
    with WebChannel(served.http) if web else grpc.insecure_channel(served.address) as channel:
        yield Stubs(channel)


@pytest.fixture
def repository(served: Running, settings: Settings) -> Iterator[TaskRepository]:
    """The repository of another process, with two tasks."""
    engine = open_database(f"sqlite:///{settings.data_dir}/facecli.db")
    opened = SqlTaskRepository(engine)
    for task_id in ("t1", "t2"):
        opened.insert(NEW, task_id=task_id, now=time.time())
    yield opened
    engine.dispose()


def asked(*, all: bool = False, user: str = "ann", **revisions: int) -> pb.WatchTasksRequest:
    tasks = [pb.WatchedTask(task_id=task_id, after_revision=last) for task_id, last in revisions.items()]
    return pb.WatchTasksRequest(user_id=user, tasks=tasks, all=all)


def received(message: pb.WatchTasksResponse) -> list[tuple[str, str]]:
    return sorted((task.task_id, task.status) for task in message.tasks)


def test_one_stream_tells_the_changes_of_all_named_tasks_and_ends_with_the_last(
    stubs: Stubs, repository: TaskRepository
) -> None:
    stream = stubs.tasks.WatchTasks(asked(t1=0, t2=0))
    first = next(stream)
    assert (received(first), first.up_to_date) == ([("t1", "pending"), ("t2", "pending")], True)
    for task_id in ("t2", "t1"):
        repository.change(task_id, transitions.cancel, now=time.time())
        assert received(next(stream)) == [(task_id, "cancelled")]
    assert list(stream) == []


def test_a_resumed_stream_tells_what_ended_or_was_deleted_meanwhile(
    stubs: Stubs, repository: TaskRepository
) -> None:
    ended = repository.change("t1", transitions.cancel, now=time.time())
    repository.delete("t1", revision=ended.revision)
    repository.change("t2", transitions.cancel, now=time.time())
    (message,) = stubs.tasks.WatchTasks(asked(t1=1, t2=1))
    assert (received(message), [*message.deleted_task_ids]) == ([("t2", "cancelled")], ["t1"])
    (again,) = stubs.tasks.WatchTasks(asked(t2=2))
    assert (received(again), again.up_to_date) == ([], True)


def test_a_task_of_another_user_looks_unknown_also_to_one_who_claims_to_have_seen_it(
    stubs: Stubs, repository: TaskRepository
) -> None:
    for request in (asked(user="bob", t1=0), asked(user="bob", nope=0)):
        answer = refused(lambda: list(stubs.tasks.WatchTasks(request)))  # noqa: B023
        assert answer == (grpc.StatusCode.NOT_FOUND, "TASK_NOT_FOUND")
    (message,) = stubs.tasks.WatchTasks(asked(user="bob", t1=1, nope=1))
    assert (received(message), sorted(message.deleted_task_ids)) == ([], ["nope", "t1"])


def test_a_stream_of_all_tasks_tells_creations_and_deletions_and_nothing_of_others(
    served: Running, repository: TaskRepository
) -> None:
    with grpc.insecure_channel(served.address) as channel:
        stubs = Stubs(channel)
        mine, others = (stubs.tasks.WatchTasks(asked(all=True, user=user)) for user in ("ann", "bob"))
        assert received(next(mine)) == [("t1", "pending"), ("t2", "pending")]
        assert received(next(others)) == []
        repository.insert(NEW, task_id="t3", now=time.time())
        assert received(next(mine)) == [("t3", "pending")]
        ended = repository.change("t3", transitions.cancel, now=time.time())
        assert received(next(mine)) == [("t3", "cancelled")]
        repository.delete("t3", revision=ended.revision)
        assert [*next(mine).deleted_task_ids] == ["t3"]
        resumed = stubs.tasks.WatchTasks(asked(all=True, t1=1, t2=1, t3=2))
        assert [*next(resumed).deleted_task_ids] == ["t3"]
        others.cancel()
