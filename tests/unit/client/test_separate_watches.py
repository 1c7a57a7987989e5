"""Watching several tasks of an older server, which has no method for them: a stream for each task."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue

import grpc
import pytest

from facecli.core.errors import NotAllowed
from facecli.wire.generated import task_service_pb2 as pb
from facecli.wire.generated import video_service_pb2 as video_pb
from facecli.wire.tasks import from_message
from tests.support.cli import facecli
from tests.support.garbage.clients import Clients
from tests.support.garbage.plausible import PLAUSIBLE, RUNNING_ID, TASK_ID, running, task
from tests.support.garbage.server import Answer, AnswerTo, GarbageServer

IDS = (TASK_ID, RUNNING_ID)
OLDER = {method: answer for method, answer in PLAUSIBLE.items() if method != "WatchTasks"}


def states(*tasks: video_pb.TaskResponse, hangs: bool = False) -> Answer:
    messages = (pb.WatchTaskResponse(task=each).SerializeToString() for each in tasks)
    return Answer(messages=tuple(messages), hangs=hangs)


def watched(answers: Mapping[str, Answer]) -> AnswerTo:
    """The answer for the task that was asked for."""

    def answer(requests: list[bytes]) -> Answer:
        if not requests:
            return Answer(reads=True)
        return answers[pb.WatchTaskRequest.FromString(requests[0]).task_id]

    return answer


def test_an_older_server_is_asked_for_each_task(garbage: GarbageServer, clients: Clients) -> None:
    deleted = Answer(code=grpc.StatusCode.NOT_FOUND)
    first = states(task("pending", revision=1), task("processing", revision=2), task(revision=3))
    garbage.answers = {"WatchTask": watched({TASK_ID: first, RUNNING_ID: deleted})}
    seen = list(clients.tasks.watch_several({TASK_ID: 1, RUNNING_ID: 1}, retry_for=0))
    assert [change.task.status for change in seen if change.task] == ["processing", "completed"]
    assert [change.task_id for change in seen if change.task is None] == [RUNNING_ID]
    assert (garbage.count("WatchTasks"), garbage.count("WatchTask")) == (1, 2)


def test_more_tasks_of_an_older_server_than_are_watched_at_a_time_all_end(
    garbage: GarbageServer, clients: Clients
) -> None:
    ids = [f"{number:032x}" for number in range(100)]
    garbage.answers = {"WatchTask": watched({each: states(task(task_id=each)) for each in ids})}
    seen = list(clients.tasks.watch_several(dict.fromkeys(ids, 1), retry_for=0))
    assert sorted(change.task_id for change in seen) == ids


def test_the_first_error_ends_the_watch_of_an_older_server(garbage: GarbageServer, clients: Clients) -> None:
    refused = Answer(code=grpc.StatusCode.PERMISSION_DENIED)
    endless = states(running(), hangs=True)
    garbage.answers = {"WatchTask": watched({TASK_ID: refused, RUNNING_ID: endless})}
    with pytest.raises(NotAllowed):
        list(clients.tasks.watch_several({TASK_ID: 1, RUNNING_ID: 1}, retry_for=0))


def test_a_batch_follows_each_of_its_tasks_on_an_older_server(
    garbage: GarbageServer, clients: Clients
) -> None:
    both = {
        key: states(task("processing", task_id=key, revision=2), task(task_id=key, revision=3)) for key in IDS
    }
    garbage.answers = {"WatchTask": watched(both)}
    shared, seen = clients.tasks.shared_watch(retry_for=0), SimpleQueue[str]()
    pending = [from_message(task("pending", task_id=key, revision=1)) for key in IDS]
    with ThreadPoolExecutor() as threads:
        waits = [threads.submit(shared.wait, each, lambda state: seen.put(state.status)) for each in pending]
        assert {wait.result().status for wait in waits} == {"completed"}
    late = shared.wait(pending[0], lambda state: seen.put(state.status))  # after the fallback
    assert (late.status, garbage.count("WatchTask")) == ("completed", 3)
    assert [seen.get() for _ in range(6)].count("processing") == 3


def test_a_watch_command_follows_the_tasks_of_an_older_server(garbage: GarbageServer) -> None:
    both = {TASK_ID: task(), RUNNING_ID: task(task_id=RUNNING_ID, revision=9)}
    garbage.answers = {**OLDER, "WatchTask": watched({key: states(each) for key, each in both.items()})}
    ran = facecli("task", "watch", TASK_ID, RUNNING_ID, "--server", garbage.address, "-q")
    assert (ran.code, len(ran.out.splitlines())) == (0, 2)
