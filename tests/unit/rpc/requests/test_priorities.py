"""The priority of a task: stored, told by every response of TaskService, and normal for old clients."""

import grpc
import pytest

from facecli.bootstrap.server import run_server
from facecli.client.connection import Metadata
from facecli.config.settings import Settings
from facecli.wire import tasks as wire
from facecli.wire.generated import task_service_pb2 as pb
from facecli.wire.generated import video_service_pb2 as video_pb
from tests.unit.rpc.conftest import Stubs


def test_the_priority_of_a_task_is_in_every_response_of_its_service(
    settings: Settings, samples: tuple[bytes, bytes]
) -> None:
    with run_server(settings) as server, grpc.insecure_channel(server.address) as channel:
        stubs = Stubs(channel)
        request = video_pb.CreateTaskRequest(
            user_id="ann",
            image_url=stubs.stored(samples[0], file_type="image", name="face.png"),
            video_url=stubs.stored(samples[1]),
        )

        def create(priority: str, key: str) -> pb.CreateTaskUnderTermsResponse:
            metadata: Metadata = (("idempotency-key", key),)
            wanted = pb.CreateTaskUnderTermsRequest(task=request, priority=priority)
            return stubs.tasks.CreateTaskUnderTerms(wanted, metadata=metadata)

        high = create("high", "k1")
        task_id = high.task.task_id
        assert high.priority == "high"
        again = create("low", "k1")  # the key decides: the task is the same, and keeps its priority
        assert (again.task.task_id, again.priority) == (task_id, "high")
        with pytest.raises(grpc.RpcError) as refused:
            create("urgent", "k2")
        assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
        assert "use one of high, normal, low" in str(refused.value.details())
        old = stubs.videos.CreateTask(request)

        found = stubs.tasks.FindTask(pb.FindTaskRequest(user_id="ann", task_id=task_id))
        watched = next(stubs.tasks.WatchTask(pb.WatchTaskRequest(user_id="ann", task_id=task_id)))
        cancelled = stubs.tasks.CancelTask(pb.CancelTaskRequest(user_id="ann", task_id=task_id))
        retried = stubs.tasks.RetryTask(pb.RetryTaskRequest(user_id="ann", task_id=task_id))
        for response in (found, watched, cancelled, retried):
            assert wire.from_wrapped(response).priority == "high"
        listed, _ = wire.page_from_message(stubs.tasks.ListTasks(pb.ListTasksRequest(user_id="ann")))
        stream = stubs.tasks.WatchTasks(pb.WatchTasksRequest(user_id="ann", all=True))
        changed, _ = wire.changes_from_message(next(stream))
        for tasks in (listed, changed):
            assert {task.id: task.priority for task in tasks} == {task_id: "high", old.task_id: "normal"}
