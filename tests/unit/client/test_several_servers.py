"""One client and several servers: calls go to those that serve, each under its own name."""

import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import grpc
import pytest
import trustme
from grpc_health.v1.health import HealthServicer
from grpc_health.v1.health_pb2 import HealthCheckResponse

from facecli.client.calls import server_pool
from facecli.client.connection import Connection
from facecli.core.checksums import crc32c
from facecli.core.errors import MisconfiguredConnection, ServerUnreachable
from facecli.core.progress import NullProgress
from facecli.core.tls import ClientTls
from facecli.wire.generated import file_service_pb2 as pb
from tests.support.eventually import eventually
from tests.support.garbage.clients import Clients, clients_of
from tests.support.garbage.plausible import PLAUSIBLE, TASK_ID
from tests.support.garbage.server import Answer, AnswerTo, GarbageServer, garbage_server

METHOD = "GetTaskStatus"
Start = Callable[[HealthServicer], GarbageServer]


class Cluster:
    """Three servers, which can be stopped one by one, and their clients."""

    def __init__(self, stack: ExitStack) -> None:
        self.health = [HealthServicer() for _ in range(3)]
        self._stops = [stack.enter_context(ExitStack()) for _ in self.health]
        self.servers = [
            stop.enter_context(garbage_server(PLAUSIBLE, health=health))
            for stop, health in zip(self._stops, self.health, strict=True)
        ]
        for number in range(3):
            self.report(number, HealthCheckResponse.SERVING)
        addresses = ",".join(server.address for server in self.servers)
        self.clients: Clients = stack.enter_context(clients_of(addresses))

    def report(self, number: int, status: int) -> None:
        self.health[number].set("", status)

    def stop(self, number: int) -> None:
        self._stops[number].close()

    def asked(self) -> set[int]:
        """The servers that answer six calls."""
        for server in self.servers:
            server.calls.clear()
        for _ in range(6):
            with suppress(ServerUnreachable):  # the client has not heard yet that the server has stopped
                self.clients.tasks.get(TASK_ID)
        return {number for number, server in enumerate(self.servers) if METHOD in server.calls}


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    with ExitStack() as stack:
        yield Cluster(stack)


def test_calls_are_spread_over_the_servers_that_serve(cluster: Cluster) -> None:
    eventually(lambda: cluster.asked() == {0, 1, 2})
    cluster.report(1, HealthCheckResponse.NOT_SERVING)
    eventually(lambda: cluster.asked() == {0, 2})
    cluster.report(1, HealthCheckResponse.SERVING)
    eventually(lambda: cluster.asked() == {0, 1, 2})


def test_a_server_that_is_gone_is_not_asked_and_the_last_one_still_answers(cluster: Cluster) -> None:
    cluster.stop(0)
    eventually(lambda: cluster.asked() == {1, 2})
    cluster.report(2, HealthCheckResponse.NOT_SERVING)
    eventually(lambda: cluster.asked() == {1})
    cluster.stop(1)
    with pytest.raises(ServerUnreachable, match=f"{cluster.servers[1].address}.* cannot be reached"):
        cluster.clients.tasks.get(TASK_ID)


def test_a_wrong_name_among_several_is_an_error_only_if_no_server_is_right() -> None:
    with garbage_server(PLAUSIBLE) as server, clients_of(f"nowhere.invalid:1,{server.address}") as clients:
        for _ in range(4):
            clients.tasks.get(TASK_ID)
    with (
        clients_of("nowhere.invalid:1,elsewhere.invalid:1", retry_for=60) as clients,
        pytest.raises(MisconfiguredConnection, match="no host has this name"),
    ):
        clients.tasks.get(TASK_ID)
    assert len(clients.time.slept) == 1


def test_with_tls_each_server_has_a_certificate_for_its_own_name(tmp_path: Path) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    with ExitStack() as stack:
        servers = []
        for host in ("localhost", "127.0.0.1"):
            issued = authority.issue_cert(host)
            pair = (issued.private_key_pem.bytes(), issued.cert_chain_pems[0].bytes())
            credentials = grpc.ssl_server_credentials([pair])
            servers.append(
                stack.enter_context(garbage_server(PLAUSIBLE, address=f"{host}:0", credentials=credentials))
            )
        tls = ClientTls(ca=str(tmp_path / "ca.pem"))
        addresses = ",".join(server.address for server in servers)
        connection = stack.enter_context(Connection(addresses, call_timeout=30, tls=tls))
        method: Any = connection.channel.unary_unary("/video.VideoService/GetTaskStatus")

        def all_asked() -> bool:
            method(b"", timeout=30)
            return all(METHOD in server.calls for server in servers)

        eventually(all_asked)


@pytest.mark.parametrize(
    ("addresses", "several"),
    [
        (["192.0.2.1"], False),
        (["192.0.2.1", "2001:db8::1"], False),  # one machine with both families
        (["192.0.2.1", "192.0.2.2"], True),
        ([], False),
    ],
)
def test_a_name_with_several_addresses_is_several_servers(
    monkeypatch: pytest.MonkeyPatch, addresses: list[str], several: bool
) -> None:
    def getaddrinfo(host: str, port: int, **options: object) -> list[tuple[object, ...]]:
        if not addresses:
            raise socket.gaierror
        return [
            (socket.AF_INET6 if ":" in each else socket.AF_INET, 1, 6, "", (each, port)) for each in addresses
        ]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    assert server_pool.has_several_addresses("facecli.example:50051") is several
    assert not server_pool.has_several_addresses("192.0.2.1:50051")


FILE = bytes(range(256)) * 40
HALF = len(FILE) // 2


class Downloads:
    """Servers of one file, each of which sends half of what is asked for, unless that is the second half."""

    def __init__(self, stack: ExitStack) -> None:
        self.asked: list[tuple[int, int]] = []  # server and offset of each download
        self._stops = [stack.enter_context(ExitStack()) for _ in range(3)]
        servers = []
        for number, stop in enumerate(self._stops):
            health = HealthServicer()
            health.set("", HealthCheckResponse.SERVING)
            answers = {"Download": self._answer_of(number)}
            servers.append(stop.enter_context(garbage_server(answers, health=health)))
        self.addresses = ",".join(server.address for server in servers)

    def stop_the_last_asked(self) -> None:
        self._stops[self.asked[-1][0]].close()

    def _answer_of(self, number: int) -> AnswerTo:
        def answer(requests: list[bytes]) -> Answer:
            if not requests:
                return Answer(reads=True)
            offset = pb.DownloadRequest.FromString(requests[0]).offset
            self.asked.append((number, offset))
            parts = (
                pb.DownloadResponse(size=len(FILE), crc32c=crc32c(FILE)),
                pb.DownloadResponse(data=FILE[offset : offset + HALF]),
            )
            messages = tuple(part.SerializeToString() for part in parts)
            return Answer(messages=messages, hangs=offset < HALF)

        return answer


class StopsTheServer(NullProgress):
    """Stops the server that is asked once half of the file has arrived."""

    def __init__(self, servers: Downloads) -> None:
        self._servers = servers

    def stored(self, total_stored: int) -> None:
        if total_stored == HALF and len(self._servers.asked) == 1:
            self._servers.stop_the_last_asked()


def test_a_download_goes_on_at_another_server_with_what_is_missing(tmp_path: Path) -> None:
    with ExitStack() as stack:
        servers = Downloads(stack)
        clients = stack.enter_context(clients_of(servers.addresses))
        target = tmp_path / "result.mp4"
        progress = StopsTheServer(servers)
        clients.files.download("/outputs/x/result.mp4", target, retry_for=3600, progress=progress)
    assert target.read_bytes() == FILE
    (first, begin), (second, middle) = servers.asked
    assert (begin, middle) == (0, HALF)
    assert first != second
