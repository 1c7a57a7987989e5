"""Concurrency limits per user and per connection, and eviction of idle downloads."""

import logging
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from facecli.bootstrap.server import run_server
from facecli.config.settings import Settings
from facecli.core.auth import Tokens
from facecli.wire.generated import file_service_pb2 as file_pb
from facecli.wire.generated import task_service_pb2 as task_pb
from facecli.wire.generated import upload_service_pb2 as upload_pb
from facecli.wire.generated import video_service_pb2 as pb
from tests.support.eventually import eventually
from tests.support.rpc.calls import logged_calls
from tests.support.rpc.refusals import refusal
from tests.support.rpc.statuses import Code, chunk
from tests.unit.rpc.conftest import Stubs, bearing, frame

DEADLINE = 60.0  # seconds after which a test fails


def test_one_user_holds_no_more_than_a_share_of_the_uploads(settings: Settings, made: Tokens) -> None:
    ended = threading.Event()

    def held(upload_id: str) -> Iterator[pb.UploadRequest]:
        yield frame(upload_id, 0, b"0123")
        ended.wait(DEADLINE)

    limits = replace(settings, auth="token", max_uploads=4, user_share=50)
    with run_server(limits) as server, ExitStack() as stack:
        ann, bob = (
            stack.enter_context(bearing(server.address, made.create(user)[1])) for user in ("ann", "bob")
        )
        holding = [ann.uploads.StreamUpload(held(ann.begin(user=""))) for _ in range(2)]
        for call in holding:
            next(call)
        third = [frame(ann.begin(user=""), 0, b"0123")]
        third[0].user_id = ""
        code, error, seconds = refusal(lambda: list(ann.uploads.StreamUpload(iter(third))))
        assert (code, error.reason, seconds) == (Code.RESOURCE_EXHAUSTED, "TOO_MANY_CALLS", 1)
        assert "ann already has 2 uploads in progress" in error.message
        assert bob.stored(b"0123456789", user="")
        ended.set()


def test_one_user_holds_no_more_than_a_share_of_the_short_calls(
    settings: Settings, made: Tokens, tmp_path: Path
) -> None:
    """The call of ann waits for a locked database."""
    with (
        run_server(replace(settings, auth="token", max_calls=2, user_share=50)) as server,
        bearing(server.address, made.create("ann")[1]) as ann,
        bearing(server.address, made.create("bob")[1]) as bob,
        closing(sqlite3.connect(tmp_path / "data" / "facecli.db", isolation_level=None)) as lock,
    ):
        lock.execute("BEGIN IMMEDIATE")
        begin = upload_pb.BeginUploadRequest(name="clip.mp4", file_type="video", size=10, chunk_size=4)
        asked = upload_pb.ListUploadsRequest()
        waiting = ann.uploads.BeginUpload.future(begin)

        def is_refused() -> bool:
            nonlocal waiting
            if waiting.done():  # refused itself, because it arrived during the call below
                waiting = ann.uploads.BeginUpload.future(begin)
            try:
                ann.uploads.ListUploads(asked)
            except grpc.RpcError:
                return not waiting.done()
            return False

        eventually(is_refused)
        code, error, seconds = refusal(lambda: ann.uploads.ListUploads(asked))
        assert (code, error.reason, seconds) == (Code.RESOURCE_EXHAUSTED, "TOO_MANY_CALLS", 1)
        assert "ann already has 1 short calls in progress" in error.message
        assert not bob.uploads.ListUploads(asked).uploads
        health: Any = health_pb2_grpc.HealthStub(ann.channel)
        assert health.Check(health_pb2.HealthCheckRequest()).status
        lock.execute("ROLLBACK")
        assert waiting.result().upload.upload_id


@contextmanager
def untaken(address: str) -> Iterator[tuple[Stubs, file_pb.DownloadRequest, Iterator[object]]]:
    """A download of 32 MiB that fills all buffers and then stalls, and stubs for other calls."""
    own = [("grpc.use_local_subchannel_pool", 1)]
    with (
        grpc.insecure_channel(address, options=own) as channel,
        grpc.insecure_channel(address, options=own) as idle,
    ):
        stubs, data = Stubs(channel), bytes(2**24)
        chunks = [chunk(index, data, total_chunks=2) for index in range(2)]
        request = file_pb.DownloadRequest(user_id="ann", url=stubs.videos.UploadVideo(iter(chunks)).file_url)
        call = Stubs(idle).files.Download(request)
        next(call)
        yield stubs, request, call


@pytest.mark.slow
def test_a_download_whose_client_does_not_read_ends(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    """The access log shows the end before the client reads on and finds out."""
    with (
        caplog.at_level(logging.INFO, "facecli.access"),
        run_server(replace(settings, idle_limit=0.5, min_rate=0)) as server,
        untaken(server.address) as (_, _, call),
    ):
        eventually(lambda: ("/video.FileService/Download", "CANCELLED") in logged_calls(caplog))
        with pytest.raises(grpc.RpcError):
            list(call)


@pytest.mark.slow
def test_a_download_whose_client_does_not_read_is_evicted(settings: Settings) -> None:
    limits = replace(settings, max_downloads=1, idle_limit=3600.0, min_rate=0)
    with run_server(limits) as server, untaken(server.address) as (stubs, request, _):

        def downloaded_bytes() -> int:
            try:
                return sum(len(part.data) for part in stubs.files.Download(request))
            except grpc.RpcError as error:
                assert error.code() is Code.RESOURCE_EXHAUSTED
                return 0

        assert eventually(downloaded_bytes, every=0.2) == 2**25


def test_calls_beyond_the_limit_of_a_connection_wait(
    settings: Settings, samples: tuple[bytes, bytes]
) -> None:
    with run_server(replace(settings, max_streams=2)) as server, ExitStack() as stack:
        own = [("grpc.use_local_subchannel_pool", 1)]
        stubs, another = (
            Stubs(stack.enter_context(grpc.insecure_channel(server.address, options=own))) for _ in range(2)
        )
        face, clip = stubs.stored(samples[0], file_type="image", name="f.png"), stubs.stored(samples[1])
        create = pb.CreateTaskRequest(user_id="ann", image_url=face, video_url=clip)
        task_id = stubs.videos.CreateTask(create).task_id
        watch = task_pb.WatchTaskRequest(user_id="ann", task_id=task_id)
        watching = [stubs.tasks.WatchTask(watch) for _ in range(2)]
        for call in watching:
            next(call)
        with pytest.raises(grpc.RpcError) as caught:
            next(stubs.tasks.WatchTask(watch, timeout=0.5))
        assert caught.value.code() is Code.DEADLINE_EXCEEDED
        assert next(another.tasks.WatchTask(watch)).task.status == "pending"
        watching[0].cancel()
        assert next(stubs.tasks.WatchTask(watch)).task.status == "pending"


def test_a_connection_limit_of_zero_is_unlimited(settings: Settings) -> None:
    with (
        run_server(replace(settings, max_streams=0)) as server,
        grpc.insecure_channel(server.address) as channel,
    ):
        assert Stubs(channel).stored(b"0123456789")
