"""A server that drains: running calls end, new ones are refused, health checks say so, on both transports."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from http.client import HTTPConnection, HTTPResponse
from queue import SimpleQueue

import grpc
import pytest

from facecli.bootstrap.server import run_server
from facecli.config.settings import Settings
from facecli.core.checksums import crc32c
from facecli.wire.errors import from_rpc
from facecli.wire.generated import task_service_pb2 as task_pb
from facecli.wire.generated import task_service_pb2_grpc, upload_service_pb2_grpc
from facecli.wire.generated import upload_service_pb2 as upload_pb
from facecli.wire.generated import video_service_pb2 as video_pb
from tests.support.eventually import eventually


def got(server: str, path: str) -> HTTPResponse:
    connection = HTTPConnection(server.removeprefix("http://"))
    connection.request("GET", path)
    response = connection.getresponse()
    response.read()
    connection.close()
    return response


def test_a_running_upload_ends_and_nothing_new_begins(settings: Settings) -> None:
    with ExitStack() as stack:
        server = stack.enter_context(run_server(replace(settings, drain_timeout=600)))
        channel = grpc.insecure_channel(server.address)
        uploads = upload_service_pb2_grpc.UploadServiceStub(channel)
        new = upload_pb.BeginUploadRequest(
            user_id="ann", name="clip.mp4", file_type="video", size=8, chunk_size=4
        )
        upload_id = uploads.BeginUpload(new).upload.upload_id
        frames = SimpleQueue[video_pb.UploadRequest | None]()

        def sent() -> Iterator[video_pb.UploadRequest]:
            while (frame := frames.get()) is not None:
                yield frame

        def send(offset: int) -> None:
            chunk = b"0123"
            frames.put(
                video_pb.UploadRequest(
                    user_id="ann",
                    upload_id=upload_id,
                    offset=offset,
                    chunk=chunk,
                    chunk_crc32c=crc32c(chunk),
                )
            )

        upload = uploads.StreamUpload(sent())
        send(0)
        assert next(upload).stored_bytes == 4
        tasks = task_service_pb2_grpc.TaskServiceStub(channel)
        watch = tasks.WatchTasks(task_pb.WatchTasksRequest(user_id="ann", all=True))
        next(watch)
        assert got(server.http, "/readyz").status == 200

        stopping = threading.Thread(target=stack.close)
        stopping.start()
        with pytest.raises(grpc.RpcError) as ended:  # a watcher moves to another server at once
            list(watch)
        assert ended.value.code() is grpc.StatusCode.UNAVAILABLE
        with grpc.insecure_channel(server.address) as other, pytest.raises(grpc.RpcError) as refused:
            upload_service_pb2_grpc.UploadServiceStub(other).BeginUpload(new)
        # gRPC itself cancels a call that arrives at the moment when the port closes.
        assert refused.value.code() in {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED}
        assert from_rpc(refused.value, server=server.address).retryable
        eventually(lambda: got(server.http, "/").status == 503)
        answer = got(server.http, "/uploads/some/file")
        assert (answer.status, answer.getheader("connection")) == (503, "close")
        assert answer.getheader("retry-after") == "1"
        assert [got(server.http, path).status for path in ("/readyz", "/healthz")] == [503, 200]

        send(4)
        frames.put(None)
        assert [response.stored_bytes for response in upload][-1] == 8
        stopping.join()
        channel.close()
