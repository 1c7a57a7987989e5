"""Floods of idle streams, cancelled calls and pings: they cost little and do not starve other users."""

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

from facecli.rpc.server import MAX_WAITS, REJECT_THREADS
from facecli.wire.generated import file_service_pb2, video_service_pb2
from tests.e2e.conftest import Serve
from tests.support.e2e.server import Server
from tests.support.eventually import eventually
from tests.unit.rpc.conftest import Stubs, frame

OPENED = 1000  # streams
CONNECTIONS = 4  # that carry them
MAX_UPLOADS = 50
OWN = [("grpc.use_local_subchannel_pool", 1)]  # a connection of its own
CANCELLED = 500
PINGS = 20_000
LARGE_MESSAGES = 60
CHUNK = 10 * 2**20  # bytes, as the app sends them
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\x04\0\0\0\0\0"  # and an empty SETTINGS frame
PING = b"\0\0\x08\x06\0\0\0\0\0" + bytes(8)


class Cost:
    """Seconds of CPU, threads and bytes of memory that a server has used since this was made."""

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
    limits = {"FACECLI_MAX_UPLOADS": str(MAX_UPLOADS), "FACECLI_IDLE_LIMIT": "1h", "FACECLI_WORKERS": "0"}
    return serve(environment=limits)


@pytest.fixture
def stubs(server: Server) -> Iterator[Stubs]:
    with grpc.insecure_channel(server.address) as channel:
        yield Stubs(channel)


def check_still_serving(stubs: Stubs, user: str) -> None:
    """Assert that another user gets status, health and an upload, which may have to be retried."""
    assert stubs.files.GetServerInfo(file_service_pb2.GetServerInfoRequest(), timeout=30).version
    health: Any = health_pb2_grpc.HealthStub(stubs.channel)
    assert health.Check(health_pb2.HealthCheckRequest(), timeout=30).status

    def uploaded() -> str:
        try:
            return stubs.stored(b"0123456789", user=user)
        except grpc.RpcError as error:
            assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED, error
            return ""

    eventually(uploaded, every=0.5)


def test_half_open_uploads_do_not_starve_other_users(server: Server, stubs: Stubs) -> None:
    cost, finished = Cost(server), threading.Event()

    def half_open(first: video_service_pb2.UploadRequest | None) -> Iterator[video_service_pb2.UploadRequest]:
        if first:
            yield first
        finished.wait()

    with ExitStack() as stack:
        flooders = [
            Stubs(stack.enter_context(grpc.insecure_channel(server.address, options=OWN)))
            for _ in range(CONNECTIONS)
        ]
        begun = [frame(flooders[0].begin(), 0, b"0123") for _ in range(10)]
        firsts = [*begun, *[None] * (OPENED - len(begun))]
        calls = [
            flooders[number % CONNECTIONS].uploads.StreamUpload(half_open(first))
            for number, first in enumerate(firsts)
        ]
        check_still_serving(stubs, "bob")
        cpu, threads, memory = cost.so_far()
        finished.set()
        for call in calls:
            call.cancel()
    sys.stderr.write(f"{OPENED} half-open: {cpu:.2f} s, {threads} threads, {memory / 2**20:.0f} MiB\n")
    assert threads <= 2 * MAX_UPLOADS + 2 * MAX_WAITS + REJECT_THREADS
    assert memory < 200 * 2**20


def test_opened_and_cancelled_calls_leak_nothing(server: Server, stubs: Stubs) -> None:
    check_still_serving(stubs, "ann")
    cost = Cost(server)
    with grpc.insecure_channel(server.address, options=OWN) as channel:
        eve = Stubs(channel)
        for number in range(CANCELLED):
            call = eve.uploads.StreamUpload(iter([frame("0" * 32, 0, b"0123")]))
            if number % 2:
                with suppress(grpc.RpcError):
                    call.initial_metadata()
            call.cancel()
        check_still_serving(stubs, "bob")
    cpu, threads, memory = cost.so_far()
    sys.stderr.write(f"{CANCELLED} cancelled: {cpu:.2f} s, {threads} threads, {memory / 2**20:.0f} MiB\n")
    assert cpu < CANCELLED * 0.02
    assert threads < 6 * MAX_UPLOADS
    assert memory < 100 * 2**20


def refused(eve: Stubs) -> None:
    message = video_service_pb2.UploadRequest(
        user_id="eve", file_name="a/b", file_type="video", total_chunks=2, chunk=bytes(CHUNK)
    )
    with pytest.raises(grpc.RpcError, match="INVALID_ARGUMENT"):
        eve.videos.UploadVideo(iter([message]), timeout=60)


def cut(eve: Stubs) -> None:
    finished = threading.Event()
    upload_id = eve.begin(size=2 * CHUNK, chunk_size=CHUNK, user="ann")

    def messages() -> Iterator[video_service_pb2.UploadRequest]:
        yield frame(upload_id, 0, bytes(CHUNK))
        finished.wait()

    call = eve.uploads.StreamUpload(messages(), timeout=60)
    assert next(call).stored_bytes == CHUNK
    call.cancel()
    finished.set()


@pytest.mark.parametrize("end", [refused, cut])
def test_a_large_message_is_freed_with_its_call(
    server: Server, stubs: Stubs, end: Callable[[Stubs], None]
) -> None:
    check_still_serving(stubs, "bob")
    cost = Cost(server)
    for _ in range(LARGE_MESSAGES):
        end(stubs)
    check_still_serving(stubs, "bob")
    cpu, threads, memory = cost.so_far()
    sys.stderr.write(
        f"{LARGE_MESSAGES} {end.__name__}: {cpu:.2f} s, {threads} threads, {memory / 2**20:.0f} MiB\n"
    )
    assert memory < LARGE_MESSAGES / 4 * CHUNK


def test_a_ping_flood_is_disconnected(server: Server, stubs: Stubs) -> None:
    check_still_serving(stubs, "ann")
    cost, sent = Cost(server), 0
    host, port = server.address.split(":")
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        connection.sendall(PREFACE)
        with pytest.raises((BrokenPipeError, ConnectionResetError)):
            while sent < PINGS:
                connection.sendall(PING * 10)
                sent += 10
            while connection.recv(2**16):
                pass
            raise ConnectionResetError  # a regular close counts too
    check_still_serving(stubs, "bob")
    cpu, threads, memory = cost.so_far()
    sys.stderr.write(f"{sent} pings: {cpu:.2f} s, {threads} threads, {memory / 2**20:.0f} MiB\n")
    assert cpu < 5
    assert memory < 50 * 2**20
