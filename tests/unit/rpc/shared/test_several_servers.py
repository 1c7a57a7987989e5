"""Two servers that share a PostgreSQL and a bucket, and nothing else."""

import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import grpc
import pytest

from facecli.bootstrap.server import Running, run_server
from facecli.bootstrap.tokens import tokens
from facecli.config.settings import Settings
from facecli.wire.generated import file_service_pb2 as file_pb
from facecli.wire.generated import task_service_pb2 as task_pb
from facecli.wire.generated import upload_service_pb2 as pb
from facecli.wire.generated import video_service_pb2 as video_pb
from tests.support.blobs.s3_servers import S3Server
from tests.support.rpc.refusals import refused
from tests.support.web.grpc_web import WebChannel
from tests.support.web.http_client import ask
from tests.unit.rpc.conftest import Stubs, bearing, frame

MIN_PART = 5 * 1024 * 1024  # bytes
UNAUTHENTICATED = (grpc.StatusCode.UNAUTHENTICATED, "UNAUTHENTICATED")


@pytest.fixture
def cluster(
    settings: Settings, postgresql: str, rclone: S3Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[tuple[Settings, list[Running]]]:
    rclone.configure(monkeypatch)
    shared = replace(settings, http="127.0.0.1:0", database=postgresql, blobs=rclone.url(), auth="token")
    with ExitStack() as stack:
        servers = [
            stack.enter_context(run_server(replace(shared, data_dir=str(tmp_path / name))))
            for name in ("first", "second")
        ]
        yield replace(shared, data_dir=str(tmp_path / "first")), servers


def test_files_links_tasks_and_watches_are_the_same_at_both_servers(
    cluster: tuple[Settings, list[Running]], samples: tuple[bytes, bytes]
) -> None:
    settings, (one, two) = cluster
    with tokens(settings) as made:
        secret = made.create("ann")[1]
    with bearing(one.address, secret) as first, bearing(two.address, secret) as second:
        face = first.stored(samples[0], file_type="image", name="face.png", user="")
        clip = second.stored(samples[1], user="")
        (found, _) = second.uploads.ListUploads(pb.ListUploadsRequest()).uploads
        assert found.file_url in {face, clip}
        link = first.files.CreateLink(file_pb.CreateLinkRequest(url=clip, expires_seconds=60)).url
        assert ask(two.http, link.removeprefix(one.http)).body == samples[1]
        request = video_pb.CreateTaskRequest(image_url=face, video_url=clip)
        task = first.videos.CreateTask(request, metadata=(("idempotency-key", "k"),))
        assert second.videos.CreateTask(request, metadata=(("idempotency-key", "k"),)).task_id == task.task_id
        watches: list[Any] = [
            second.tasks.WatchTask(task_pb.WatchTaskRequest(task_id=task.task_id)),
            second.tasks.WatchTasks(task_pb.WatchTasksRequest(all=True)),
        ]
        assert next(watches[0]).task.status == next(watches[1]).tasks[0].status == "pending"
        first.tasks.CancelTask(task_pb.CancelTaskRequest(task_id=task.task_id))
        assert next(watches[0]).task.status == next(watches[1]).tasks[0].status == "cancelled"
        for each in watches:
            each.cancel()


@pytest.mark.slow
def test_a_token_is_revoked_at_every_server_on_both_transports(
    cluster: tuple[Settings, list[Running]],
) -> None:
    settings, servers = cluster
    ended = threading.Event()
    with tokens(settings) as made, ExitStack() as stack:
        token, secret = made.create("ann")
        calls: list[Callable[[], Any]] = []
        for server in servers:
            stubs = stack.enter_context(bearing(server.address, secret))
            web = stack.enter_context(WebChannel(server.http))
            upload_id = stubs.begin(user="", size=2 * MIN_PART, chunk_size=MIN_PART)

            def sent(upload_id: str = upload_id) -> Iterator[video_pb.UploadRequest]:
                yield frame(upload_id, 0, bytes(MIN_PART))
                ended.wait(60)

            watched = task_pb.WatchTasksRequest(all=True)
            metadata = (("authorization", f"Bearer {secret}"),)
            upload = stubs.uploads.StreamUpload(sent())
            watch = stubs.tasks.WatchTasks(watched)
            over_http = Stubs(web).tasks.WatchTasks(watched, metadata=metadata)
            for call in (upload, watch, over_http):
                next(call)
                calls.append(lambda call=call: list(call))  # type: ignore[misc]
        began = time.monotonic()
        made.revoke(token.id)

        def seconds(call: Callable[[], Any]) -> float:
            assert refused(call) == UNAUTHENTICATED
            return time.monotonic() - began

        with ThreadPoolExecutor(len(calls)) as pool, closing(stack.pop_all()):
            took = list(pool.map(seconds, calls))
            ended.set()
    sys.stderr.write(f"calls ended after {', '.join(f'{each:.2f}' for each in took)} s\n")
