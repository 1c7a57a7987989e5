"""Behaviour common to all calls: errors, admission control, tokens, health, draining."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from sqlalchemy import create_engine, text

from facecli import __version__
from facecli.bootstrap.server import run_server
from facecli.bootstrap.tokens import tokens
from facecli.config.settings import Settings
from facecli.core.errors import DirectoryInUse, FfmpegMissing, InternalError, InvalidInput, PolicyRefused
from facecli.wire.errors import from_rpc
from facecli.wire.generated import file_service_pb2, task_service_pb2
from facecli.wire.generated import video_service_pb2 as video_pb
from tests.support.rpc.refusals import refused
from tests.unit.rpc.conftest import Stubs, frame


def test_a_bug_becomes_an_id_and_its_text_stays_in_the_log(
    settings: Settings, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with run_server(settings) as server, grpc.insecure_channel(server.address) as channel:
        engine = create_engine(f"sqlite:///{tmp_path / 'data' / 'facecli.db'}")
        with engine.begin() as connection:
            connection.execute(text("ALTER TABLE tasks RENAME COLUMN stage TO secret_detail"))
        engine.dispose()
        with pytest.raises(grpc.RpcError) as caught:
            Stubs(channel).videos.GetTaskStatus(video_pb.TaskStatusRequest(task_id="x"))
    error = from_rpc(caught.value, server="here:1")
    assert isinstance(error, InternalError)
    assert "stage" not in error.message
    (logged,) = (record for record in caplog.records if record.message == "internal error")
    assert vars(logged)["request"] == error.error_id
    assert logged.exc_info


def test_server_info_lists_capabilities(stubs: Stubs) -> None:
    info = stubs.files.GetServerInfo(file_service_pb2.GetServerInfoRequest())
    assert (info.version, info.chunk_size) == (__version__, 10 * 1024 * 1024)
    assert (list(info.engines), info.default_engine) == (["inswapper", "mesh", "mock"], "mock")
    described = {engine.name: [option.name for option in engine.options] for engine in info.engine_infos}
    assert described["mock"] == ["delay", "fail_at", "seed"]
    assert described["mesh"][0] == "faces"
    assert info.ffmpeg
    assert info.free_bytes > 0


def test_server_info_tells_what_a_proxy_has_written(settings: Settings) -> None:
    ask = file_service_pb2.GetServerInfoRequest()
    forwarded = (("x-forwarded-for", "203.0.113.7"), ("x-my", "a"))
    for trusted, seen in (
        ("", ("127.0.0.1", "", ["x-forwarded-for"])),
        ("127.0.0.1", ("203.0.113.7", "127.0.0.1", ["x-forwarded-for"])),
        ("127.0.0.1", ("127.0.0.1", "127.0.0.1", [])),
    ):
        with (
            run_server(replace(settings, trusted_proxies=trusted)) as server,
            grpc.insecure_channel(server.address) as channel,
        ):
            metadata = forwarded if seen[2] else ()
            info = Stubs(channel).files.GetServerInfo(ask, metadata=metadata)
        assert (info.client_address, info.proxy_address, list(info.proxy_headers)) == seen


def test_health_is_serving_for_every_service(stubs: Stubs) -> None:
    health: Any = health_pb2_grpc.HealthStub(stubs.channel)
    for service in (
        "",
        "video.VideoService",
        "video.UploadService",
        "video.TaskService",
        "video.FileService",
    ):
        answer = health.Check(health_pb2.HealthCheckRequest(service=service))
        assert answer.status == health_pb2.HealthCheckResponse.SERVING


def test_without_a_token_only_health_is_answered(settings: Settings) -> None:
    with tokens(settings) as made:
        secret = made.create("ann")[1]
    with (
        run_server(replace(settings, auth="token")) as server,
        grpc.insecure_channel(server.address) as channel,
    ):
        stubs = Stubs(channel)
        ask = file_service_pb2.GetServerInfoRequest()
        wrong = (("authorization", "Bearer wrong"),)
        right = (("authorization", f"Bearer {secret}"),)
        nobody = (grpc.StatusCode.UNAUTHENTICATED, "UNAUTHENTICATED")
        assert refused(lambda: stubs.files.GetServerInfo(ask)) == nobody
        assert refused(lambda: stubs.files.GetServerInfo(ask, metadata=wrong)) == nobody
        assert refused(lambda: list(stubs.uploads.StreamUpload(iter([frame("x", 0, b"x")])))) == nobody
        assert stubs.files.GetServerInfo(ask, metadata=right).version == __version__
        health: Any = health_pb2_grpc.HealthStub(channel)
        assert health.Check(health_pb2.HealthCheckRequest()).status


def test_uploads_over_the_limit_are_refused_while_short_calls_go_on(settings: Settings) -> None:
    with (
        run_server(replace(settings, max_uploads=1)) as server,
        grpc.insecure_channel(server.address) as channel,
    ):
        stubs = Stubs(channel)
        first, second = stubs.begin(), stubs.begin()
        done = threading.Event()

        def held() -> Iterator[video_pb.UploadRequest]:
            yield frame(first, 0, b"0123")
            done.wait(60)

        holding = stubs.uploads.StreamUpload(held())
        next(holding)
        with pytest.raises(grpc.RpcError) as caught:
            list(stubs.uploads.StreamUpload(iter([frame(second, 0, b"0123")])))
        assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert from_rpc(caught.value, server="here:1").details == {"retry_after": 1}
        assert stubs.files.GetServerInfo(file_service_pb2.GetServerInfoRequest()).version
        done.set()
        list(holding)
        assert list(stubs.uploads.StreamUpload(iter([frame(second, 0, b"0123")])))


def test_an_idle_upload_ends_and_keeps_its_chunks(settings: Settings) -> None:
    with (
        run_server(replace(settings, idle_limit=0.1)) as server,
        grpc.insecure_channel(server.address) as channel,
    ):
        stubs = Stubs(channel)
        done = threading.Event()

        def silent() -> Iterator[video_pb.UploadRequest]:
            yield frame(upload_id, 0, b"0123")
            done.wait(60)

        upload_id = stubs.begin()
        call = stubs.uploads.StreamUpload(silent())
        assert next(call).stored_bytes == 4
        assert refused(lambda: list(call)) == (grpc.StatusCode.DEADLINE_EXCEEDED, "IDLE_TOO_LONG")
        done.set()


@pytest.mark.parametrize("busy", [False, True], ids=["silent", "busy"])
def test_an_upload_gets_unavailable_when_the_server_stops(settings: Settings, busy: bool) -> None:
    ended = threading.Event()
    with ExitStack() as stack:
        server = stack.enter_context(run_server(settings))
        channel = grpc.insecure_channel(server.address)
        stubs = Stubs(channel)
        upload_id = stubs.begin()

        def held() -> Iterator[video_pb.UploadRequest]:
            yield frame(upload_id, 0, b"0123")
            while busy and not ended.is_set():
                yield frame(upload_id, 0, b"0123")
            ended.wait(60)

        call = stubs.uploads.StreamUpload(held())
        next(call)
        stopping = threading.Thread(target=stack.pop_all().close)
        stopping.start()
        with pytest.raises(grpc.RpcError) as caught:
            list(call)
        assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
        # A client that is sending may see the closed connection before the message.
        assert busy or "shutting down" in str(caught.value.details())
        ended.set()
        stopping.join()
        channel.close()


def test_two_servers_never_share_a_data_directory(settings: Settings) -> None:
    with (
        run_server(settings),
        pytest.raises(DirectoryInUse, match="another facecli serve uses"),
        run_server(settings),
    ):
        pass


@pytest.mark.parametrize(
    ("changed", "error", "expected"),
    [
        ({"bind": "0.0.0.0:0"}, PolicyRefused, "--insecure"),
        ({"bind": "nonsense"}, InvalidInput, "HOST:PORT"),
        ({"bind": "127.0.0.1:99999"}, InvalidInput, "HOST:PORT"),
        ({"bind": "192.0.2.1:0", "insecure": True}, InvalidInput, "cannot listen"),
        ({"engine": "magic"}, InvalidInput, "magic"),
        ({"ffmpeg": "/nowhere/ffmpeg"}, FfmpegMissing, "/nowhere/ffmpeg"),
        ({"data_dir": "/dev/null/x"}, InvalidInput, "/dev/null/x"),
    ],
)
def test_a_bad_setting_is_refused_before_anything_starts(
    settings: Settings, changed: dict[str, object], error: type[Exception], expected: str
) -> None:
    with pytest.raises(error, match=expected), run_server(replace(settings, **changed)):  # type: ignore[arg-type]
        pass


def test_a_listing_with_a_bad_page_is_refused(stubs: Stubs) -> None:
    for wrong in ({"page_size": -1}, {"page_token": "nowhere"}, {"status": "odd"}):
        request = task_service_pb2.ListTasksRequest(user_id="ann", **wrong)
        assert refused(lambda: stubs.tasks.ListTasks(request))[0] is grpc.StatusCode.INVALID_ARGUMENT  # noqa: B023
