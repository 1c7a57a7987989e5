"""Google's grpc-web and connect-web in a real browser, on a page of another origin.

`WATCH_SECONDS=70 pytest tests/e2e/web/test_grpc_web_clients.py -k stream` keeps each stream open for so long.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
from google.protobuf.message import Message

from facecli.wire.errors import from_rpc
from facecli.wire.generated import task_service_pb2 as task_pb
from facecli.wire.generated import upload_service_pb2 as pb
from facecli.wire.generated import video_service_pb2 as video_pb
from tests.e2e.web.conftest import WebServer
from tests.support.e2e.files import sha256
from tests.support.e2e.requirements import needs
from tests.support.e2e.server import Server
from tests.support.eventually import DEADLINE, eventually
from tests.support.rpc.rpcs import REQUESTS, RPCS, Metadata, TenantData, answers
from tests.support.rpc.two_tenant_server import finished_work, with_unfinished_work
from tests.support.sockets import free_port
from tests.support.web.page import Page, Refused

pytestmark = needs("chromium")

WATCH_SECONDS = float(os.environ.get("WATCH_SECONDS", "0"))
USER = "ann"

CONNECT, BINARY, TEXT = "connect", "grpc-web", "grpc-web-text"  # of Google's two formats, only text streams
CLIENT_STREAMS = {rpc for rpc, method in RPCS.items() if method.client_streaming}  # not for browsers
# These change something, or the answer differs every time.
CHANGES = {"BeginUpload", "BeginUploads", "UploadChunk", "CancelUpload", "CreateTask", "CreateTaskUnderTerms"}
CHANGES |= {"CancelTask", "RetryTask", "DeleteTask", "CreateLink", "GetServerInfo"}

REFUSED: list[tuple[str, Message]] = [
    ("VideoService.GetTaskStatus", video_pb.TaskStatusRequest(task_id="nothing")),
    ("TaskService.WatchTask", task_pb.WatchTaskRequest(task_id="nothing")),
    ("UploadService.ListUploads", pb.ListUploadsRequest(user_id="bob")),
    ("UploadService.BeginUpload", pb.BeginUploadRequest(name="人/脸 %41.mp4", file_type="video", size=1)),
]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebServer]:
    """A server that pages of localhost may call."""
    address = f"127.0.0.1:{free_port()}"
    options = ["--auth", "token", "--http", address, "--cors-origin", "http://localhost:*"]
    with Server(tmp_path_factory.mktemp("server") / "data", options=options) as running:
        yield WebServer(server=running, address=address)


@pytest.fixture(scope="module")
def token(server: WebServer) -> str:
    return server.token(USER)


@pytest.fixture(scope="module")
def channel(server: WebServer) -> Iterator[grpc.Channel]:
    with grpc.insecure_channel(server.server.address) as opened:
        yield opened


@pytest.fixture(scope="module")
def metadata(token: str) -> Metadata:
    return (("authorization", f"Bearer {token}"),)


@pytest.fixture(scope="module")
def finished(channel: grpc.Channel, metadata: Metadata, face: Path, clip: Path) -> TenantData:
    """Uploads and a completed task."""
    assert face.parent == clip.parent
    return finished_work(channel, USER, metadata, face.parent)


@pytest.mark.parametrize("client", [CONNECT, TEXT])
def test_the_app_resumes_an_upload_creates_a_task_and_polls_it_to_its_result(
    page: Page, server: WebServer, client: str, face: Path, padded_clip: Path, tmp_path: Path
) -> None:
    token = server.token(client)
    page.use(client, server.address, token)
    page.browser.choose("file", padded_clip)
    cut = page.run("upload", "video", [0, 2])
    assert (cut["sent"], cut["status"]) == ([0, 2], "incomplete")
    page.load()
    page.use(client, server.address, token)
    page.browser.choose("file", padded_clip)
    video = page.run("upload", "video", None)
    size = padded_clip.stat().st_size
    assert (video["sent"], video["status"], video["progress"][-1]) == ([1, 3], "completed", size)
    assert video["progress"] == sorted(video["progress"])
    assert page.run("sha256", video["fileUrl"]) == sha256(padded_clip)
    page.browser.choose("file", face)
    image = page.run("upload", "image", None)
    states = page.run("swap", image["fileUrl"], video["fileUrl"])
    assert (states[-1]["status"], states[-1]["progress"]) == ("completed", 100)
    result = tmp_path / "result.mp4"
    server.command(token, "task", "download", states[-1]["taskId"], "-o", result)
    assert page.run("sha256", states[-1]["resultUrl"]) == sha256(result)


@pytest.mark.parametrize("client", [CONNECT, BINARY, TEXT])
def test_every_rpc_that_a_browser_can_make_answers_as_by_grpc(
    page: Page,
    server: WebServer,
    client: str,
    token: str,
    channel: grpc.Channel,
    metadata: Metadata,
    finished: TenantData,
) -> None:
    page.use(client, server.address, token)
    data = with_unfinished_work(channel, finished, metadata)
    for rpc in [each for each in REQUESTS if each not in CLIENT_STREAMS]:
        (request,) = REQUESTS[rpc](data)
        responses = page.call(rpc, request)
        assert responses, rpc
        if rpc.partition(".")[2] not in CHANGES:
            assert responses == answers(channel, rpc, [request], metadata), rpc


@pytest.mark.parametrize("client", [CONNECT, BINARY, TEXT])
def test_a_refusal_has_the_code_the_message_and_the_details_of_grpc(
    page: Page, server: WebServer, client: str, token: str, channel: grpc.Channel, metadata: Metadata
) -> None:
    page.use(client, server.address, token)
    for rpc, request in REFUSED:
        with pytest.raises(grpc.RpcError) as expected:
            answers(channel, rpc, [request], metadata)
        with pytest.raises(Refused) as seen:
            page.call(rpc, request)
        error = from_rpc(expected.value, server="")
        assert seen.value.code == expected.value.code().value[0]
        assert (seen.value.message, seen.value.reason) == (error.message, error.reason)
        assert len(seen.value.details["google.rpc.RequestInfo"]["requestId"]) > 8
    page.use(client, server.address, "")
    with pytest.raises(Refused) as unknown:
        page.call(*REFUSED[0])
    assert unknown.value.reason == "UNAUTHENTICATED"


def test_a_page_of_an_origin_that_was_not_named_gets_no_answer(
    browsed: Page, server: WebServer, token: str
) -> None:
    browsed.load(host="127.0.0.1")
    for client in (CONNECT, BINARY, TEXT):
        browsed.use(client, server.address, token)
        with pytest.raises(Refused) as failed:
            browsed.call("UploadService.ListUploads", pb.ListUploadsRequest())
        assert (failed.value.reason, failed.value.details) == (None, {})


@pytest.mark.parametrize("client", [CONNECT, TEXT])
def test_a_stream_tells_every_change_until_it_is_cancelled(
    page: Page,
    server: WebServer,
    client: str,
    token: str,
    channel: grpc.Channel,
    metadata: Metadata,
    finished: TenantData,
) -> None:
    def ends() -> int:
        return server.server.log.count("method=/video.TaskService/WatchTasks outcome=CANCELLED")

    before = ends()
    page.use(client, server.address, token)
    page.run("watch", "video.TaskService.WatchTasks", {"all": True})
    eventually(lambda: states_of(page, finished.task_id) == ["completed"])
    data = with_unfinished_work(channel, finished, metadata)
    eventually(lambda: states_of(page, data.cancelled_id)[-1:] == ["cancelled"])
    eventually(lambda: page.state("stream.seconds.at(-1)") >= WATCH_SECONDS, within=WATCH_SECONDS + DEADLINE)
    answers(
        channel,
        "TaskService.CancelTask",
        [task_pb.CancelTaskRequest(task_id=data.running_id)],
        metadata,
    )
    eventually(lambda: states_of(page, data.running_id)[-1:] == ["cancelled"])
    assert (page.state("stream.ended"), page.state("stream.error"), ends()) == (False, None, before)
    page.run("cancel")
    eventually(lambda: page.state("stream.ended") and ends() == before + 1)


def states_of(page: Page, task_id: str) -> list[str]:
    """The states of a task that the stream has shown, in order."""
    messages = page.state("stream.messages")
    tasks = [task for message in messages for task in message.get("tasks", ())]
    return [task["status"] for task in tasks if task["taskId"] == task_id]
