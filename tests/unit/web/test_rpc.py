"""The RPC services over HTTP: Connect with JSON and protobuf, gRPC-Web in binary and text."""

import json

import grpc
import pytest

from facecli.bootstrap.server import Running
from facecli.core.checksums import crc32c
from facecli.wire.generated import file_service_pb2 as file_pb
from facecli.wire.generated import upload_service_pb2 as pb
from tests.support.rpc.refusals import refused
from tests.support.web.grpc_web import BINARY, TEXT, WebChannel
from tests.support.web.http_client import ask, raw, until
from tests.support.web.requests import BEGIN, CHUNK_SIZE, CLIP, JSON, STATUS, head, post, reason_in
from tests.unit.rpc.conftest import Stubs


def test_json_is_enough_to_begin_an_upload_and_to_ask_for_a_task(server: Running) -> None:
    begun = post(server, BEGIN, json.dumps(CLIP).encode())
    assert (begun.status, begun.headers["content-type"]) == (200, "application/json")
    assert begun.json["upload"]["status"] == "incomplete"
    unknown = post(server, STATUS, b'{"taskId": "nothing"}', content_type="Application/JSON; charset=utf-8")
    assert (unknown.status, reason_in(unknown)) == (404, "TASK_NOT_FOUND")
    assert unknown.json["message"] == "there is no task nothing"


def test_a_message_in_protobuf_is_one_body_by_connect(server: Running) -> None:
    request = pb.BeginUploadRequest(user_id="ann", name="a.mp4", file_type="video", size=1)
    answer = post(server, BEGIN, request.SerializeToString(), content_type="application/proto")
    assert pb.BeginUploadResponse.FromString(answer.body).upload.name == "a.mp4"


@pytest.mark.parametrize("kind", [BINARY, f"{BINARY};charset=utf-8", "application/grpc-web;x=y", TEXT])
def test_a_call_by_grpc_web_gets_its_messages_its_details_and_its_refusals(
    server: Running, kind: str
) -> None:
    data = bytes(range(256)) * 8192  # two blocks of a download
    with WebChannel(server.http, kind=kind) as channel:
        stubs = Stubs(channel)
        url = stubs.stored(data)
        blocks = [*stubs.files.Download(file_pb.DownloadRequest(user_id="ann", url=url))]
        unknown = pb.GetUploadRequest(user_id="ann", upload_id="x")
        refusal = refused(lambda: stubs.uploads.GetUpload(unknown))
    assert len(blocks) > 1
    assert b"".join(block.data for block in blocks) == data
    assert refusal == (grpc.StatusCode.NOT_FOUND, "UPLOAD_NOT_FOUND")


def test_a_browser_uploads_a_file_chunk_by_chunk_in_any_order(server: Running) -> None:
    data = bytes(range(256)) * 40_960 + b"the rest"
    begin = pb.BeginUploadRequest(user_id="ann", name="big.mp4", file_type="video", size=len(data))
    with WebChannel(server.http) as channel:
        uploads = Stubs(channel).uploads
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
        ("POST", {**JSON, "connect-protocol-version": "2"}, 400),
        ("POST", {**JSON, "x-more": "\xe9"}, 400),
    ],
)
def test_a_request_that_is_no_call_is_refused_with_its_status(
    server: Running, method: str, headers: dict[str, str], status: int
) -> None:
    answer = ask(server.http, STATUS, method=method, headers=headers, body=b"{}" if headers else None)
    assert (answer.status, answer.reason) == (status, "INVALID_INPUT")


def test_a_call_ends_at_the_deadline_of_its_client(server: Running) -> None:
    waiting = head(STATUS, length=10, more="Connect-Timeout-Ms: 1\r\n")
    with raw(server.http, waiting) as silent:
        answer = until(silent, b"the deadline that the client set has passed")
    assert answer.startswith(b"HTTP/1.1 504 ")
    with raw(server.http, head(STATUS, length=10, kind=BINARY, more="Grpc-Timeout: 1m\r\n")) as silent:
        until(silent, b"grpc-status: 4")
