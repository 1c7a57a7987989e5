"""Bodies of calls over HTTP: malformed, too large, slow, cut, and very many that stop."""

import asyncio
import base64
import gzip
import json
import socket
import struct
from collections.abc import Iterable

import grpc
import pytest

from facecli.bootstrap.server import Running
from facecli.web.rpc.body import decoded_base64
from facecli.web.rpc.refusals import RefusedRequest
from facecli.wire.errors import from_rpc
from facecli.wire.generated import video_service_pb2 as video_pb
from tests.support.eventually import eventually
from tests.support.web.grpc_web import BINARY, TEXT, WebChannel, WebRefusal, responses
from tests.support.web.http_client import ask, connected, raw, until
from tests.support.web.requests import (
    BEGIN,
    CHUNK_SIZE,
    STATUS,
    UPLOAD_CHUNK,
    WATCH,
    framed,
    head,
    post,
    reason_in,
    reason_of,
)
from tests.unit.rpc.conftest import Stubs
from tests.unit.web.conftest import ServeHttp

ASKED = framed(video_pb.TaskStatusRequest(task_id="x").SerializeToString())


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b'{"size": "x"}', b'{"nothing": 1}', b"\xff", b"[" * 100_000], ids=repr
)
def test_a_message_that_is_not_the_json_of_a_request_is_refused(server: Running, body: bytes) -> None:
    answer = post(server, BEGIN, body)
    assert (answer.status, reason_in(answer)) == (400, "INVALID_INPUT")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "UNIMPLEMENTED"),
        (ASKED + ASKED, "UNIMPLEMENTED"),
        (ASKED[:3], "INVALID_ARGUMENT"),
        (framed(b"x", size=100), "INVALID_ARGUMENT"),
        (framed(b"\xff"), "INVALID_ARGUMENT"),
        (framed(b"x", flags=0x40), "INVALID_ARGUMENT"),
        (framed(gzip.compress(b"x"), flags=1), "INTERNAL"),
        (framed(b"x", size=2**31), "RESOURCE_EXHAUSTED"),
    ],
    ids=["none", "two", "no header", "cut", "other bytes", "flags", "compressed", "two GiB"],
)
def test_a_body_without_exactly_one_message_is_refused_with_a_reason(
    server: Running, body: bytes, code: str
) -> None:
    connection = connected(server.http)
    connection.request("POST", STATUS, body, {"content-type": BINARY})
    with pytest.raises(WebRefusal) as caught:
        list(responses(connection.getresponse(), text=False))
    connection.close()
    error = from_rpc(caught.value, server="here:1")
    assert (caught.value.code().name, error.reason) == (code, "INVALID_INPUT")


def test_a_broken_stream_by_connect_ends_with_a_reason(server: Running) -> None:
    answer = post(server, WATCH, framed(b"x", size=9), content_type="application/connect+proto")
    flags, size = struct.unpack(">BI", answer.body[:5])
    end = json.loads(answer.body[5 : 5 + size])
    assert (flags, end["error"]["code"]) == (2, "invalid_argument")
    assert reason_of(end["error"]["details"]) == "INVALID_INPUT"


def test_a_text_that_is_no_base64_is_refused_with_a_reason(server: Running) -> None:
    connection = connected(server.http)
    connection.request("POST", STATUS, base64.b64encode(ASKED)[:-1] + b"!", {"content-type": TEXT})
    with pytest.raises(WebRefusal, match="base64"):
        list(responses(connection.getresponse(), text=True))
    connection.close()


@pytest.mark.parametrize("size", [1, 2, 3, 5, 1000])
def test_a_text_may_arrive_cut_anywhere_and_padded_wherever_its_client_flushed(size: int) -> None:
    data = bytes(range(256))
    text = b"".join(base64.b64encode(part) for part in (data[:100], data[100:101], data[101:]))
    assert decoded(text[start : start + size] for start in range(0, len(text), size)) == data


@pytest.mark.parametrize("text", [b"AAA", b"AAAA=", b"=AAA", b"AA=A", b"A===", b"AA==A", b"AAA\n", b"A-A_"])
def test_a_text_that_ends_early_or_has_other_characters_is_refused(text: bytes) -> None:
    for parts in ([text], [text[:1], text[1:]]):
        with pytest.raises(RefusedRequest, match="base64"):
            decoded(parts)


def decoded(parts: Iterable[bytes]) -> bytes:
    """The bytes of a body in base64 that arrives in these parts."""
    arriving = [{"type": "http.request", "body": part, "more_body": True} for part in parts]
    arriving[-1]["more_body"] = False
    messages = iter(arriving)

    async def receive() -> object:
        return next(messages)

    async def read() -> bytes:
        receive_decoded = decoded_base64(receive)
        return b"".join([(await receive_decoded())["body"] for _ in arriving])

    return asyncio.run(read())


def test_a_compressed_message_is_refused_because_it_could_become_a_large_one(server: Running) -> None:
    answer = post(server, STATUS, gzip.compress(b'{"taskId": "x"}'), content_encoding="gzip")
    assert (answer.status, answer.json["code"], reason_in(answer)) == (501, "unimplemented", "INVALID_INPUT")
    assert "gzip" in answer.json["message"]
    accepting = post(server, BEGIN, b'{"name": ""}', accept_encoding="gzip")
    assert accepting.headers["content-encoding"] in {None, "identity"}


def test_a_request_larger_than_its_method_takes_is_refused_before_it_is_there(server: Running) -> None:
    with raw(server.http, head(STATUS, length=50_000_000) + bytes(1_100_000)) as large:
        answer = until(large, b"a request of GetTaskStatus has at most 1048576 bytes")
    assert answer.startswith(b"HTTP/1.1 400 ")


def test_a_body_that_stops_is_refused_logged_and_nothing_is_stored(
    serve_http: ServeHttp, caplog: pytest.LogCaptureFixture
) -> None:
    def outcomes() -> dict[str, str]:
        """Those of the calls below; a call of an earlier test may be logged late."""
        logged = {vars(record)["peer"]: vars(record)["outcome"] for record in caplog.records}
        return {peer: logged[peer] for peer in expected if peer in logged}

    expected: dict[str, str] = {}
    with caplog.at_level("INFO", "facecli.access"), serve_http(idle_limit=0.2) as server:
        with raw(server.http, head(UPLOAD_CHUNK, length=CHUNK_SIZE) + bytes(1000)) as slow:
            expected[peer_of(slow)] = "DEADLINE_EXCEEDED"
            assert until(slow, b"arrives too slowly").startswith(b"HTTP/1.1 504 ")
        with raw(server.http, head(UPLOAD_CHUNK, length=100) + bytes(50)) as cut:
            expected[peer_of(cut)] = "CANCELLED"
        with raw(server.http, head(STATUS, length=15, kind="application/json") + b'{"taskId": "x"}') as whole:
            expected[peer_of(whole)] = "NOT_FOUND"
            assert until(whole, b"there is no task x").startswith(b"HTTP/1.1 404 ")
        eventually(lambda: len(outcomes()) == 3)
    assert outcomes() == expected


def peer_of(connection: socket.socket) -> str:
    """The client of a connection, as the server names it."""
    host, port = connection.getsockname()
    return f"ipv4:{host}:{port}"


def test_bodies_that_stop_leave_room_for_everybody_else(server: Running) -> None:
    half = [raw(server.http, head(UPLOAD_CHUNK, length=CHUNK_SIZE) + bytes(100)) for _ in range(300)]
    try:
        with grpc.insecure_channel(server.address) as channel, WebChannel(server.http) as web_channel:
            eventually(lambda: is_stored(Stubs(channel)))
            eventually(lambda: is_stored(Stubs(web_channel)))
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
