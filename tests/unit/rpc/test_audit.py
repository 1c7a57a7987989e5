"""Audit and access log: one record per call, which no client can forge."""

import logging
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace

import grpc
import pytest

from facecli.api.audit import MAX_SUBJECTS
from facecli.bootstrap.server import run_server
from facecli.config.settings import Settings
from facecli.core.auth import Tokens
from facecli.rpc.methods import METHODS
from facecli.telemetry.logs import set_up_logging
from facecli.wire.errors import from_rpc
from facecli.wire.generated import (
    file_service_pb2,
    task_service_pb2,
    upload_service_pb2,
    video_service_pb2,
)
from tests.support.rpc.statuses import chunk
from tests.unit.rpc.conftest import Stubs, frame

READING = {
    "/video.VideoService/GetTaskStatus",
    "/video.UploadService/GetUpload",
    "/video.UploadService/ListUploads",
    "/video.TaskService/WatchTask",
    "/video.TaskService/WatchTasks",
    "/video.TaskService/CheckTask",
    "/video.TaskService/GetProvenance",
    "/video.TaskService/PreviewTask",
    "/video.TaskService/FindTask",
    "/video.TaskService/ListTasks",
    "/video.TaskService/ListTaskLogs",
    "/video.FileService/Download",
    "/video.FileService/GetServerInfo",
}
FORGED = "ann\nrequest=1 user=root method=CancelTask outcome=OK\r\x1b[2J"
LINE = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+\+00:00 \w+ +[\w.]+ ")
RECORD = r"call request=\w{12} user=QUOTED method=\w+ outcome=[A-Z_]+( (upload|task)=QUOTED)?"
PEER = re.compile(r"(.*) peer=ipv4:127\.0\.0\.1:\d+")
SECRET = "fc_0123456789abcdef"


class Log:
    """The stderr of a server, read after the server has ended."""

    def __init__(self, settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
        self._settings = settings
        self._capsys = capsys

    def __enter__(self) -> Stubs:
        set_up_logging(level=self._settings.log_level, format="text")
        self._serving = run_server(self._settings)
        self._channel = grpc.insecure_channel(self._serving.__enter__().address)
        return Stubs(self._channel)

    def __exit__(self, *raised: object) -> None:
        self._channel.close()
        self._serving.__exit__(None, None, None)
        self.text = self._capsys.readouterr().err

    @property
    def audit(self) -> list[str]:
        """The records, without the addresses that each one ends with."""
        lines = (line.partition(" facecli.audit ") for line in self.text.splitlines())
        matches = [PEER.fullmatch(record) for _, found, record in lines if found]
        assert all(matches), self.text
        return [match[1] for match in matches if match]


@pytest.fixture
def log(settings: Settings, capsys: pytest.CaptureFixture[str]) -> Iterator[Log]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield Log(settings, capsys)
    root.handlers[:] = handlers
    root.setLevel(level)


def test_the_method_table_lists_every_method_as_changing_or_reading() -> None:
    services = [
        file.DESCRIPTOR.services_by_name.values()
        for file in (video_service_pb2, upload_service_pb2, task_service_pb2, file_service_pb2)
    ]
    calls = {
        f"/{service.full_name}/{method.name}"
        for found in services
        for service in found
        for method in service.methods
    }
    changing = {name for name, method in METHODS.items() if method.changes}
    assert calls == set(METHODS)
    assert calls - changing == READING


def test_an_audit_record_names_user_subject_and_outcome(log: Log) -> None:
    with log as stubs:
        upload_id = stubs.begin()
        list(stubs.uploads.StreamUpload(iter([frame(upload_id, 0, b"0123")])))
        other = stubs.stored(b"data", user="bob").split("/")[2]
        stubs.uploads.CancelUpload(upload_service_pb2.CancelUploadRequest(user_id="ann", upload_id=upload_id))
        stubs.uploads.GetUpload(upload_service_pb2.GetUploadRequest(user_id="bob", upload_id=other))
    assert [re.sub("call request=[0-9a-f]{12} ", "", line) for line in log.audit] == [
        f"user=ann method=BeginUpload outcome=OK upload={upload_id}",
        f"user=ann method=StreamUpload outcome=OK upload={upload_id}",
        f"user=bob method=UploadVideo outcome=OK upload={other}",
        f"user=ann method=CancelUpload outcome=OK upload={upload_id}",
    ]


def test_an_audit_record_names_the_authenticated_user(
    settings: Settings, made: Tokens, capsys: pytest.CaptureFixture[str], log: Log
) -> None:
    secrets = {"ann": made.create("ann")[1], "root": made.create("root", admin=True)[1], "stranger": "fc_x"}

    def cancel(stubs: Stubs, caller: str, user: str) -> None:
        request = upload_service_pb2.CancelUploadRequest(user_id=user, upload_id="0" * 32)
        with suppress(grpc.RpcError):
            stubs.uploads.CancelUpload(request, metadata=(("authorization", f"Bearer {secrets[caller]}"),))

    token_log = Log(replace(settings, auth="token"), capsys)
    with token_log as stubs:
        for caller, user in (("ann", ""), ("ann", "bob"), ("root", "ann"), ("stranger", "ann")):
            cancel(stubs, caller, user)
    records = [re.sub("call request=[0-9a-f]{12} ", "", line) for line in token_log.audit]
    upload = f"upload={'0' * 32}"
    assert records == [
        f"user=ann method=CancelUpload outcome=NOT_FOUND {upload}",
        f"user=ann for=bob method=CancelUpload outcome=PERMISSION_DENIED {upload}",
        f"user=root for=ann method=CancelUpload outcome=NOT_FOUND {upload}",
        'user="" method=CancelUpload outcome=UNAUTHENTICATED',  # its message was not read
    ]


def test_an_error_carries_the_request_id_of_its_audit_record(log: Log) -> None:
    unknown = "0" * 32
    with log as stubs:
        url = stubs.stored(b"data")
        request = video_service_pb2.CreateTaskRequest(
            user_id="ann", image_url=f"/uploads/{unknown}/face.png", video_url=url
        )
        with pytest.raises(grpc.RpcError) as caught:
            stubs.videos.CreateTask(request)
        with pytest.raises(grpc.RpcError) as read:
            stubs.videos.GetTaskStatus(video_service_pb2.TaskStatusRequest(task_id=unknown))
    request_id = from_rpc(caught.value, server="here:1").request_id
    subjects = f'upload="{unknown} {url.split("/")[2]}"'
    assert (
        log.audit[-1] == f"call request={request_id} user=ann method=CreateTask outcome=NOT_FOUND {subjects}"
    )
    assert re.search(
        rf"facecli\.access .*/video\.VideoService/CreateTask outcome=NOT_FOUND .*request={request_id}\n",
        log.text,
    )
    assert from_rpc(read.value, server="here:1").request_id in log.text


def test_a_call_refused_before_its_handler_names_user_and_subject(settings: Settings, log: Log) -> None:
    many = upload_service_pb2.BeginUploadRequest(user_id="ann", name="a.mp4", file_type="video", size=4)
    with log as stubs, pytest.raises(grpc.RpcError):
        stubs.uploads.BeginUploads(upload_service_pb2.BeginUploadsRequest(uploads=[many] * 257))
    assert " user=ann method=BeginUploads outcome=INVALID_ARGUMENT" in log.audit[-1]


def test_a_client_cannot_forge_a_line_or_a_field(log: Log) -> None:
    with log as stubs:
        cancel = upload_service_pb2.CancelUploadRequest(user_id=FORGED, upload_id=FORGED)
        retry = task_service_pb2.RetryTaskRequest(user_id=FORGED, task_id=FORGED)
        get = upload_service_pb2.GetUploadRequest(user_id=FORGED, upload_id=FORGED)
        sent = video_service_pb2.UploadRequest(user_id=FORGED, upload_id=FORGED, chunk=b"0")
        calls: list[Callable[[], object]] = [
            lambda: stubs.uploads.CancelUpload(cancel),
            lambda: stubs.tasks.RetryTask(retry),
            lambda: stubs.uploads.GetUpload(get),
            lambda: list(stubs.uploads.StreamUpload(iter([sent]))),
            lambda: stubs.videos.UploadVideo(iter([chunk(user_id=FORGED, file_name=FORGED)])),
        ]
        for call in calls:
            with suppress(grpc.RpcError):
                call()
    assert log.text.replace("\n", "").isprintable()
    assert all(LINE.match(line) for line in log.text.splitlines())
    assert len(log.audit) == 4
    for line in log.audit:
        fields = re.sub(r'"(\\.|[^"\\])*"', "QUOTED", line)
        assert re.fullmatch(RECORD, fields), line


def test_file_names_and_secrets_never_reach_the_log(settings: Settings, log: Log) -> None:
    with log as stubs:
        url = stubs.stored(b"data", name="private party.mp4")
        face = stubs.stored(b"data", name="my secret face.png", file_type="image")
        request = video_service_pb2.CreateTaskRequest(user_id="ann", image_url=face, video_url=url)
        with pytest.raises(grpc.RpcError):
            stubs.videos.CreateTask(request, metadata=(("authorization", f"Bearer {SECRET}"),))
    assert log.audit
    for word in ("party", "face.png", "secret", SECRET):
        assert word not in log.text


def test_an_audit_record_has_a_bounded_length(log: Log) -> None:
    with log as stubs:
        many = [
            upload_service_pb2.BeginUploadRequest(user_id="ann", name=f"{n}.mp4", file_type="video", size=4)
            for n in range(200)
        ]
        stubs.uploads.BeginUploads(upload_service_pb2.BeginUploadsRequest(uploads=many))
        cancel = upload_service_pb2.CancelUploadRequest(user_id="u" * 10**6, upload_id="i" * 10**6)
        with pytest.raises(grpc.RpcError):
            stubs.uploads.CancelUpload(cancel)
    begun, cancelled = log.audit
    assert begun.startswith(f"call request={begun[13:25]} user=ann method=BeginUploads outcome=OK upload=")
    assert begun.endswith(f" more={200 - MAX_SUBJECTS}")
    assert len(cancelled) < 500
