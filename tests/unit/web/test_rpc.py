"""The RPC services over HTTP: Connect, gRPC-Web, slow and broken requests, and streams that end."""

import base64
import gzip
import json
import struct
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.rpc import error_details_pb2

from facecli.bootstrap.server import Running
from facecli.core.checksums import crc32c
from facecli.media.ffmpeg import FfmpegMedia
from facecli.wire.errors import from_rpc
from facecli.wire.generated import task_service_pb2 as task_pb
from facecli.wire.generated import upload_service_pb2 as pb
from facecli.wire.generated import video_service_pb2 as video_pb
from tests.support.eventually import eventually
from tests.support.rpc.refusals import refused
from tests.support.web.grpc_web import BINARY, WebChannel
from tests.support.web.http_client import Answer, ask, connected, raw, until
from tests.unit.rpc.conftest import Stubs
from tests.unit.web.conftest import ServeHttp

JSON = {"content-type": "application/json"}
STATUS, BEGIN = "/video.VideoService/GetTaskStatus", "/video.UploadService/BeginUpload"
UPLOAD_CHUNK, WATCH = "/video.UploadService/UploadChunk", "/video.TaskService/WatchTask"
CLIP = {"userId": "ann", "name": "clip.mp4", "fileType": "video", "size": 10, "chunkSize": 4}
CHUNK_SIZE = 10 * 1024 * 1024


def post(server: Running, path: str, body: bytes, **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return ask(server.http, path, method="POST", headers={**JSON, **named}, body=body)


def reason_in(answer: Answer) -> str:
    """The reason in the ErrorInfo of a refusal by Connect."""
    info = error_details_pb2.ErrorInfo()
    (detail,) = (each for each in answer.json["details"] if each["type"] == "google.rpc.ErrorInfo")
    info.ParseFromString(base64.b64decode(detail["value"] + "=="))
    assert info.domain == "facecli"
    return str(info.reason)


def head(path: str, *, length: int, kind: str = "application/proto", more: str = "") -> bytes:
    """The headers of a request whose body has `length` bytes."""
    lines = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n"
    return f"{lines}{more}\r\n".encode()


def test_json_is_enough_to_begin_an_upload_and_to_ask_for_a_task(server: Running) -> None:
    begun = post(server, BEGIN, json.dumps(CLIP).encode())
    assert (begun.status, begun.headers["content-type"]) == (200, "application/json")
    assert begun.json["upload"]["status"] == "incomplete"
    unknown = post(server, STATUS, b'{"taskId": "nothing"}')
    assert (unknown.status, reason_in(unknown)) == (404, "TASK_NOT_FOUND")
    assert unknown.json["message"] == "there is no task nothing"


def test_a_message_in_protobuf_is_one_body_by_connect(server: Running) -> None:
    request = pb.BeginUploadRequest(user_id="ann", name="a.mp4", file_type="video", size=1)
    answer = post(server, BEGIN, request.SerializeToString(), content_type="application/proto")
    assert pb.BeginUploadResponse.FromString(answer.body).upload.name == "a.mp4"


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b'{"size": "x"}', b'{"nothing": 1}', b"\xff", b"[" * 100_000], ids=repr
)
def test_a_message_that_is_not_the_json_of_a_request_is_refused(server: Running, body: bytes) -> None:
    answer = post(server, BEGIN, body)
    assert (answer.status, reason_in(answer)) == (400, "INVALID_INPUT")


@pytest.mark.parametrize(
    ("method", "headers", "status"),
    [
        ("GET", {}, 405),
        ("POST", {}, 415),
        ("POST", {"content-type": "text/plain"}, 415),
        ("POST", {"content-type": "application/grpc"}, 415),
        ("POST", {"content-type": "application/connect+json"}, 415),
        ("POST", {**JSON, "grpc-timeout": "soon"}, 400),
        ("POST", {**JSON, "connect-timeout-ms": "-1"}, 400),
        ("POST", {**JSON, "x-more": "\xe9"}, 400),
    ],
)
def test_a_request_that_is_no_call_is_refused_with_its_status(
    server: Running, method: str, headers: dict[str, str], status: int
) -> None:
    answer = ask(server.http, STATUS, method=method, headers=headers, body=b"{}" if headers else None)
    assert (answer.status, answer.reason) == (status, "INVALID_INPUT")


def test_a_compressed_message_is_refused_because_it_could_become_a_large_one(server: Running) -> None:
    answer = post(server, STATUS, gzip.compress(b'{"taskId": "x"}'), content_encoding="gzip")
    assert (answer.status, answer.json["code"]) == (501, "unimplemented")


def test_a_browser_uploads_a_file_chunk_by_chunk_in_any_order(server: Running) -> None:
    uploads = Stubs(WebChannel(server.http)).uploads
    data = bytes(range(256)) * 40_960 + b"the rest"
    begin = pb.BeginUploadRequest(user_id="ann", name="big.mp4", file_type="video", size=len(data))
    upload_id = uploads.BeginUpload(begin).upload.upload_id

    def put(index: int) -> pb.Upload:
        part = data[index * CHUNK_SIZE : (index + 1) * CHUNK_SIZE]
        request = pb.UploadChunkRequest(
            user_id="ann", upload_id=upload_id, chunk_index=index, data=part, crc32c=crc32c(part)
        )
        return uploads.UploadChunk(request).upload

    assert put(1).status == "incomplete"
    assert [chunk.index for chunk in uploads.BeginUpload(begin).chunks] == [1]
    assert (put(0).status, put(0).crc32c) == ("completed", crc32c(data))


def test_a_request_larger_than_its_method_takes_is_refused(server: Running) -> None:
    answer = post(server, STATUS, bytes(2_000_000), content_type="application/proto")
    assert (answer.status, reason_in(answer)) == (400, "INVALID_INPUT")
    assert answer.json["message"] == "a request of GetTaskStatus has at most 1048576 bytes"


def test_a_body_that_stops_is_refused_and_nothing_is_stored(serve_http: ServeHttp) -> None:
    with serve_http(idle_limit=0.2) as server:
        with raw(server.http, head(UPLOAD_CHUNK, length=CHUNK_SIZE) + bytes(1000)) as slow:
            assert until(slow, b"arrives too slowly").startswith(b"HTTP/1.1 504 ")
        with raw(server.http, head(UPLOAD_CHUNK, length=100) + bytes(50)) as cut:
            cut.close()
        assert post(server, STATUS, b'{"taskId": "x"}').status == 404


def test_bodies_that_stop_leave_room_for_everybody_else(server: Running) -> None:
    half = [raw(server.http, head(UPLOAD_CHUNK, length=CHUNK_SIZE) + bytes(100)) for _ in range(300)]
    try:
        with grpc.insecure_channel(server.address) as channel:
            over_grpc, over_http = Stubs(channel), Stubs(WebChannel(server.http))
            eventually(lambda: is_stored(over_grpc))
            eventually(lambda: is_stored(over_http))
        assert ask(server.http, "/readyz").status == 200
    finally:
        for each in half:
            each.close()


def is_stored(stubs: Stubs) -> bool:
    """Whether the server takes an upload; while it is about to end other calls it asks to try again."""
    try:
        return bool(stubs.stored(b"0123"))
    except grpc.RpcError as error:
        assert from_rpc(error, server="here:1").retryable
        return False


def waiting_task(server: Running, folder: Path) -> str:
    """A task that no worker takes."""
    media = FfmpegMedia()
    media.make_face(folder / "face.png")
    media.make_clip(folder / "clip.mp4", seconds=1, width=160, height=120)
    stubs = Stubs(WebChannel(server.http))
    image = stubs.stored((folder / "face.png").read_bytes(), file_type="image", name="face.png")
    video = stubs.stored((folder / "clip.mp4").read_bytes())
    request = video_pb.CreateTaskRequest(user_id="ann", image_url=image, video_url=video)
    return stubs.videos.CreateTask(request).task_id


def watching(server: Running, task_id: str) -> Any:
    """A watch by gRPC-Web, whose first message has arrived: the connection and its response."""
    connection = connected(server.http)
    data = task_pb.WatchTaskRequest(user_id="ann", task_id=task_id).SerializeToString()
    body = struct.pack(">BI", 0, len(data)) + data
    connection.request("POST", WATCH, body=body, headers={"content-type": BINARY})
    response = connection.getresponse()
    assert response.status == 200
    return connection, response


@pytest.mark.media
def test_a_watch_ends_when_its_client_goes_away_or_the_server_stops(
    serve_http: ServeHttp, tmp_path: Path
) -> None:
    with serve_http(max_watchers=1) as server:
        task_id = waiting_task(server, tmp_path)
        first, response = watching(server, task_id)
        flags, size = struct.unpack(">BI", response.read(5))
        assert flags == 0
        assert task_pb.WatchTaskResponse.FromString(response.read(size)).task.status == "pending"
        stubs = Stubs(WebChannel(server.http))
        another = task_pb.WatchTaskRequest(user_id="ann", task_id=task_id)
        assert refused(lambda: list(stubs.tasks.WatchTask(another)))[1] == "TOO_MANY_CALLS"
        response.close()
        first.close()
        second: list[Any] = []

        def is_watched() -> bool:
            second[:] = watching(server, task_id)
            return bool(second[1].read(1) == b"\0")

        eventually(is_watched)
    assert b"grpc-status: 14" in second[1].read()
    second[0].close()
