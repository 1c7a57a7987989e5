"""A download whose server is stopped in the middle goes on at another one of several."""

from contextlib import ExitStack
from pathlib import Path

from grpc_health.v1.health import HealthServicer
from grpc_health.v1.health_pb2 import HealthCheckResponse

from facecli.core.checksums import crc32c
from facecli.core.progress import NullProgress
from facecli.wire.generated import file_service_pb2 as pb
from tests.support.garbage.clients import clients_of
from tests.support.garbage.server import Answer, AnswerTo, garbage_server

DATA = bytes(range(256)) * 40
HALF = len(DATA) // 2
SERVERS = 3


class Servers:
    """Servers of one file, each of which sends half of what is asked for, unless that is the second half."""

    def __init__(self, stack: ExitStack) -> None:
        self.asked: list[tuple[int, int]] = []  # server and offset of each download
        self._stops = [stack.enter_context(ExitStack()) for _ in range(SERVERS)]
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
                pb.DownloadResponse(size=len(DATA), crc32c=crc32c(DATA)),
                pb.DownloadResponse(data=DATA[offset : offset + HALF]),
            )
            messages = tuple(part.SerializeToString() for part in parts)
            return Answer(messages=messages, hangs=offset < HALF)

        return answer


class StopsTheServer(NullProgress):
    """Stops the server that is asked once half of the file has arrived."""

    def __init__(self, servers: Servers) -> None:
        self._servers = servers

    def stored(self, total_stored: int) -> None:
        if total_stored == HALF and len(self._servers.asked) == 1:
            self._servers.stop_the_last_asked()


def test_it_goes_on_at_another_server_with_what_is_missing(tmp_path: Path) -> None:
    with ExitStack() as stack:
        servers = Servers(stack)
        clients = stack.enter_context(clients_of(servers.addresses))
        target = tmp_path / "result.mp4"
        progress = StopsTheServer(servers)
        clients.files.download("/outputs/x/result.mp4", target, retry_for=3600, progress=progress)
    assert target.read_bytes() == DATA
    (first, begin), (second, middle) = servers.asked
    assert (begin, middle) == (0, HALF)
    assert first != second
