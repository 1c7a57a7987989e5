"""Clients that open and do nothing, open and cancel, or ask without end cost little and keep nobody out."""

import os
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from facecli.wire.generated import file_service_pb2, video_service_pb2
from tests.e2e.conftest import Serve
from tests.support.e2e.server import Server
from tests.unit.rpc.conftest import Stubs, frame

OPENED = 1000
LINES = 4  # connections that these come over
PLACES = 50
OWN = [("grpc.use_local_subchannel_pool", 1)]  # a connection of its own
CANCELLED = 500
PINGS = 20_000
LARGE = 60  # messages
CHUNK = 10 * 2**20  # bytes, as the app sends them
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\x04\0\0\0\0\0"  # and settings that change none
PING = b"\0\0\x08\x06\0\0\0\0\0" + bytes(8)


class Cost:
    """What a server has taken since this was made: seconds of CPU, threads, bytes of memory."""

    def __init__(self, server: Server) -> None:
        self._pid = server.pid
        self._cpu, self._threads, self._memory = self._now()

    def so_far(self) -> tuple[float, int, int]:
        cpu, threads, memory = self._now()
        return cpu - self._cpu, threads - self._threads, memory - self._memory

    def _now(self) -> tuple[float, int, int]:
        fields = Path(f"/proc/{self._pid}/stat").read_text().rpartition(")")[2].split()
        status = Path(f"/proc/{self._pid}/status").read_text()
        memory = int(status.split("VmRSS:")[1].split()[0]) * 1024
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK"), int(fields[17]), memory


@pytest.fixture
def server(serve: Serve) -> Server:
    limits = {"FACECLI_MAX_UPLOADS": str(PLACES), "FACECLI_IDLE_LIMIT": "1h", "FACECLI_WORKERS": "0"}
    return serve(environment=limits)


@pytest.fixture
def stubs(server: Server) -> Iterator[Stubs]:
    with grpc.insecure_channel(server.address) as channel:
        yield Stubs(channel)


def check_at_work(stubs: Stubs, user: str) -> None:
    """Status, health and an upload of somebody else's; an upload may be told to come back."""
    assert stubs.files.GetServerInfo(file_service_pb2.GetServerInfoRequest(), timeout=30).version
    health: Any = health_pb2_grpc.HealthStub(stubs.channel)
    assert health.Check(health_pb2.HealthCheckRequest(), timeout=30).status
    come_back = threading.Event()
    while True:
        try:
            assert stubs.stored(b"0123456789", user=user)
            return
        except grpc.RpcError as error:
            assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED, error
            come_back.wait(0.5)


def test_uploads_that_are_half_open_keep_nobody_out(server: Server, stubs: Stubs) -> None:
    cost, over = Cost(server), threading.Event()

    def half_open(first: video_service_pb2.UploadRequest | None) -> Iterator[video_service_pb2.UploadRequest]:
        if first:
            yield first
        over.wait()

    with ExitStack() as stack:
        eves = [
            Stubs(stack.enter_context(grpc.insecure_channel(server.address, options=OWN)))
            for _ in range(LINES)
        ]
        begun = [frame(eves[0].begin(), 0, b"0123") for _ in range(10)]
        firsts = [*begun, *[None] * (OPENED - len(begun))]
        calls = [
            eves[number % LINES].uploads.StreamUpload(half_open(first)) for number, first in enumerate(firsts)
        ]
        check_at_work(stubs, "bob")
        cpu, threads, memory = cost.so_far()
        over.set()
        for call in calls:
            call.cancel()
    sys.stderr.write(f"{OPENED} half-open: {cpu:.2f} s, {threads} threads, {memory / 2**20:.0f} MiB\n")
    assert threads < 6 * PLACES
    assert memory < 200 * 2**20


def test_opening_and_cancelling_leaves_nothing(server: Server, stubs: Stubs) -> None:
    check_at_work(stubs, "ann")
    cost = Cost(server)
    with grpc.insecure_channel(server.address, options=OWN) as channel:
        eve = Stubs(channel)
        for number in range(CANCELLED):
            call = eve.uploads.StreamUpload(iter([frame("0" * 32, 0, b"0123")]))
            if number % 2:
                with suppress(grpc.RpcError):
                    call.initial_metadata()
            call.cancel()
        check_at_work(stubs, "bob")
    cpu, threads, memory = cost.so_far()
    sys.stderr.write(f"{CANCELLED} cancelled: {cpu:.2f} s, {threads} threads, {memory / 2**20:.0f} MiB\n")
    assert cpu < CANCELLED * 0.02
    assert threads < 6 * PLACES
    assert memory < 100 * 2**20


def refused(eve: Stubs) -> None:
    message = video_service_pb2.UploadRequest(
        user_id="eve", file_name="a/b", file_type="video", total_chunks=2, chunk=bytes(CHUNK)
    )
    with pytest.raises(grpc.RpcError, match="INVALID_ARGUMENT"):
        eve.videos.UploadVideo(iter([message]), timeout=60)


def cut(eve: Stubs) -> None:
    over = threading.Event()
    upload_id = eve.begin(size=2 * CHUNK, chunk_size=CHUNK, user="ann")

    def messages() -> Iterator[video_service_pb2.UploadRequest]:
        yield frame(upload_id, 0, bytes(CHUNK))
        over.wait()

    call = eve.uploads.StreamUpload(messages(), timeout=60)
    assert next(call).stored_bytes == CHUNK
    call.cancel()
    over.set()


@pytest.mark.parametrize("end", [refused, cut])
def test_a_large_message_goes_with_its_call_however_that_ends(
    server: Server, stubs: Stubs, end: Callable[[Stubs], None]
) -> None:
    check_at_work(stubs, "bob")
    cost = Cost(server)
    for _ in range(LARGE):
        end(stubs)
    check_at_work(stubs, "bob")
    cpu, threads, memory = cost.so_far()
    sys.stderr.write(f"{LARGE} {end.__name__}: {cpu:.2f} s, {threads} threads, {memory / 2**20:.0f} MiB\n")
    assert memory < LARGE / 4 * CHUNK


def test_who_asks_without_end_whether_we_live_is_cut_off(server: Server, stubs: Stubs) -> None:
    check_at_work(stubs, "ann")
    cost, sent = Cost(server), 0
    host, port = server.address.split(":")
    with socket.create_connection((host, int(port)), timeout=30) as line:
        line.sendall(PREFACE)
        with pytest.raises((BrokenPipeError, ConnectionResetError)):
            while sent < PINGS:
                line.sendall(PING * 10)
                sent += 10
            while line.recv(2**16):
                pass
            raise ConnectionResetError  # closed in order
    check_at_work(stubs, "bob")
    cpu, threads, memory = cost.so_far()
    sys.stderr.write(f"{sent} pings: {cpu:.2f} s, {threads} threads, {memory / 2**20:.0f} MiB\n")
    assert cpu < 5
    assert memory < 50 * 2**20
