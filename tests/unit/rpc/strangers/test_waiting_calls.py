"""Calls whose message comes late, comes in parts, or never comes; foreign clients see the right status."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import replace
from functools import partial
from typing import Any

import grpc
import pytest

from facecli.bootstrap.server import run_server
from facecli.config.settings import Settings
from facecli.core.auth import Tokens
from facecli.rpc import client_waits
from facecli.wire import channel as channel_options
from facecli.wire.generated import file_service_pb2 as file_pb
from facecli.wire.generated import upload_service_pb2 as upload_pb
from tests.support.rpc.http2 import HALF_MESSAGE, RawConnection, tcp
from tests.support.rpc.refusals import refusal, refused
from tests.unit.rpc.conftest import Stubs, bearing, frame
from tests.unit.rpc.strangers.conftest import METHODS

Code = grpc.StatusCode
STATUS = METHODS["unary"]
DEADLINE = 60.0  # seconds after which a test fails


def silent_call(channel: grpc.Channel, path: str, ended: threading.Event) -> Any:
    """A call of any method that has sent its headers only."""

    def nothing() -> Iterator[bytes]:
        ended.wait(DEADLINE)
        yield from ()

    call: Any = channel.stream_stream(path)
    return call(nothing(), timeout=DEADLINE)


def test_a_call_without_a_message_ends_with_the_idle_limit(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert client_waits.FIRST_MESSAGE_SECONDS == 10
    monkeypatch.setattr(client_waits, "FIRST_MESSAGE_SECONDS", 1.0)
    ended = threading.Event()
    with (
        run_server(replace(settings, idle_limit=0.5, min_rate=0)) as server,
        grpc.insecure_channel(server.address) as channel,
    ):
        for call in [silent_call(channel, path, ended) for path in METHODS.values()]:
            code, error, _ = refusal(partial(list, call))
            assert (code, error.reason) == (Code.DEADLINE_EXCEEDED, "IDLE_TOO_LONG")
            assert error.message == "no message arrived for 1 s"
        ended.set()


@pytest.mark.parametrize("kind", METHODS)
def test_a_call_without_a_message_ends_when_its_token_is_revoked(
    settings: Settings, made: Tokens, kind: str
) -> None:
    ended = threading.Event()
    token, secret = made.create("ann")
    with (
        run_server(replace(settings, auth="token")) as server,
        bearing(server.address, secret) as ann,
    ):
        call = silent_call(ann.channel, METHODS[kind], ended)
        assert refused(lambda: ann.stored(b"0123", user="bob"))[0] is Code.PERMISSION_DENIED
        made.revoke(token.id)
        assert refused(lambda: list(call)) == (Code.UNAUTHENTICATED, "UNAUTHENTICATED")
        ended.set()


@pytest.mark.parametrize("kind", METHODS)
def test_a_call_without_a_message_does_not_delay_the_end_of_the_server(settings: Settings, kind: str) -> None:
    ended = threading.Event()
    with ExitStack() as stack:
        server = stack.enter_context(run_server(settings))
        channel = grpc.insecure_channel(server.address)
        call = silent_call(channel, METHODS[kind], ended)
        Stubs(channel).stored(b"0123")  # on the same connection, so the silent call has arrived
        stack.close()
        code, error, _ = refusal(lambda: list(call))
        assert (code, error.reason) == (Code.UNAVAILABLE, "UNAVAILABLE")
        assert "shutting down" in error.message
        ended.set()
        channel.close()


def test_a_message_that_comes_late_and_in_parts_is_answered(settings: Settings) -> None:
    message = file_pb.GetServerInfoRequest(user_id="ann").SerializeToString()
    body = b"\0" + len(message).to_bytes(4, "big") + message
    with run_server(settings) as server, closing(RawConnection(server.address)) as raw:
        stream = raw.call("/video.FileService/GetServerInfo")
        with grpc.insecure_channel(server.address) as channel:
            Stubs(channel).stored(b"0123")
        for index in range(len(body)):
            raw.send(stream, body[index : index + 1])
        assert raw.status(stream) == "0"
        assert raw.data[stream]


def test_a_call_that_ends_without_its_message_is_refused(settings: Settings) -> None:
    with run_server(settings) as server, closing(RawConnection(server.address)) as raw:
        streams = [raw.call(path, end=True) for path in (STATUS, METHODS["watch"], METHODS["server stream"])]
        assert {raw.status(stream) for stream in streams} == {"12"}
        assert "requires exactly one request message" in raw.trailers[streams[0]]["grpc-message"]
        assert raw.status(raw.call(METHODS["bidi"], end=True)) == "3"


def test_a_second_message_of_a_call_is_ignored(settings: Settings) -> None:
    empty = b"\0\0\0\0\0"
    with run_server(settings) as server, closing(RawConnection(server.address)) as raw:
        stream = raw.call("/video.FileService/GetServerInfo", body=2 * empty, end=True)
        assert raw.status(stream) == "0"


@pytest.mark.parametrize("message", [b"\xff" * 40, bytes(2 * 2**20)], ids=["garbage", "2 MiB"])
def test_a_short_call_with_an_invalid_message_is_refused(settings: Settings, message: bytes) -> None:
    with run_server(settings) as server, grpc.insecure_channel(server.address) as channel:
        for path in (STATUS, METHODS["watch"], METHODS["server stream"], "/grpc.health.v1.Health/Check"):
            call: Any = channel.unary_unary(path)
            assert refused(partial(call, message)) == (Code.INVALID_ARGUMENT, "INVALID_INPUT")


def test_a_new_call_gets_room_for_more_calls_than_a_connection_carries(settings: Settings) -> None:
    """Each call that ends is followed by another one at once, which gRPC by itself refuses."""
    limit = 8
    with (
        run_server(replace(settings, max_streams=limit)) as server,
        grpc.insecure_channel(server.address) as channel,
    ):
        stubs, outcomes = Stubs(channel), list[grpc.StatusCode]()
        request = upload_pb.ListUploadsRequest(user_id="ann")
        calls = [stubs.uploads.ListUploads.future(request, timeout=DEADLINE) for _ in range(100 * limit)]
        for call in calls:
            outcomes.append(call.code())
        assert set(outcomes) == {Code.OK}


def test_a_connection_without_a_handshake_is_closed(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert channel_options.HANDSHAKE_TIMEOUT_MS == 20_000
    monkeypatch.setattr(channel_options, "HANDSHAKE_TIMEOUT_MS", 1_000)
    with run_server(settings) as server, tcp(server.address) as silent:
        assert silent.recv(1) == b"\0"  # the server's settings
        while silent.recv(1 << 12):
            pass


@pytest.mark.parametrize("attack", ["continuations", "resets", "settings"])
def test_a_flood_of_frames_leaves_room_for_others(settings: Settings, attack: str) -> None:
    with (
        run_server(settings) as server,
        closing(RawConnection(server.address)) as raw,
        grpc.insecure_channel(server.address) as channel,
    ):
        if attack == "continuations":
            raw.send_raw(b"\0\0\1\1\0\0\0\0\1\x82" + 20_000 * b"\0\0\5\x09\0\0\0\0\1\0\1a\1b")
        elif attack == "settings":
            raw.send_raw(20_000 * b"\0\0\0\4\0\0\0\0\0")
        else:
            for _ in range(2_000):
                raw.reset(raw.call(STATUS, body=HALF_MESSAGE))
        stubs = Stubs(channel)
        assert stubs.stored(b"0123")
        assert list(stubs.uploads.StreamUpload(iter([frame(stubs.begin(), 0, b"0123")])))
