"""Measure the calls of a regular user while pages of others hold bodies and watch streams open.

`python -m tests.support.web.load_slow_pages` prints the milliseconds of each call over HTTP and gRPC, as
median, smallest and largest: on an idle server, beside `--bodies` half-open request bodies and `--watches`
idle watch streams, and after these have ended. One half of the bodies is by tus, the other by UploadChunk.
"""

import argparse
import json
import select
import socket
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

import grpc

from facecli.bootstrap.tokens import tokens
from facecli.config.settings import Settings
from facecli.wire.generated import task_service_pb2 as task_pb
from facecli.wire.generated import video_service_pb2 as pb
from facecli.wire.generated import video_service_pb2_grpc as pb_grpc
from tests.support.e2e.server import Server
from tests.support.sockets import free_port
from tests.support.web.http_client import Answer, Headers, ask, raw, until
from tests.support.web.requests import CHUNK_SIZE, JSON, STATUS, UPLOAD_CHUNK, framed, head
from tests.support.web.tus import BODY_TYPE, encoded

ROUNDS = 41  # timings of each call
PAGES = 4  # other users, who share the bodies and streams
SENT = bytes(1000)  # of each body
WATCH_TASKS = "/video.TaskService/WatchTasks"
GRPC_WEB = "application/grpc-web+proto"

Call = Callable[[], object]
Timings = list[float]  # seconds


def creation(name: str, size: int) -> dict[str, str]:
    return {
        "tus-resumable": "1.0.0",
        "upload-length": str(size),
        "upload-metadata": f"filename {encoded(name)}",
        "content-type": BODY_TYPE,
    }


class Caller:
    """A user of the server at `url`."""

    def __init__(self, url: str, secret: str) -> None:
        self.url = url
        self.token = {"authorization": f"Bearer {secret}"}

    def ask(
        self, path: str, method: str = "GET", headers: Headers | None = None, body: bytes = b""
    ) -> Answer:
        return ask(
            self.url, path, method=method, headers={**self.token, **(headers or {})}, body=body or None
        )

    def half_patch(self) -> socket.socket:
        """A tus upload whose only PATCH stops after its first bytes."""
        path = self.ask("/files/", "POST", creation("slow.mp4", CHUNK_SIZE)).headers["location"]
        lines = (
            f"PATCH {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nTus-Resumable: 1.0.0\r\nUpload-Offset: 0\r\n"
            f"Content-Type: {BODY_TYPE}\r\nContent-Length: {CHUNK_SIZE}\r\n{self._authorization}\r\n"
        )
        return raw(self.url, lines.encode() + SENT)

    def half_chunk(self) -> socket.socket:
        """An UploadChunk whose body stops after its first bytes."""
        return raw(self.url, self._head(UPLOAD_CHUNK, CHUNK_SIZE) + framed(SENT, size=CHUNK_SIZE - 5))

    def watch(self) -> socket.socket:
        """A stream of all tasks, of which there are none."""
        message = framed(task_pb.WatchTasksRequest(all=True).SerializeToString())
        stream = raw(self.url, self._head(WATCH_TASKS, len(message)) + message)
        until(stream, b"\r\n\r\n")
        return stream

    @property
    def _authorization(self) -> str:
        return f"Authorization: {self.token['authorization']}\r\n"

    def _head(self, path: str, length: int) -> bytes:
        return head(path, length=length, kind=GRPC_WEB, more=self._authorization)


def calls(user: Caller, channel: grpc.Channel) -> Mapping[str, Call]:
    """The calls of a regular user, by name."""
    stub = pb_grpc.VideoServiceStub(channel)
    metadata = tuple(user.token.items())
    unknown, data = "0" * 32, bytes(2**20)

    def status() -> None:
        try:
            stub.GetTaskStatus(pb.TaskStatusRequest(task_id=unknown), metadata=metadata)
        except grpc.RpcError as error:
            assert error.code() is grpc.StatusCode.NOT_FOUND

    def upload() -> None:
        message = pb.UploadRequest(file_name="a.mp4", file_type="video", total_chunks=1, chunk=data)
        stub.UploadVideo(iter([message]), metadata=metadata)

    asked = json.dumps({"taskId": unknown}).encode()
    return {
        "HTTP, ready": lambda: expect(200, user.ask("/readyz")),
        "HTTP, status": lambda: expect(404, user.ask(STATUS, "POST", JSON, asked)),
        "HTTP, upload of 1 MiB by tus": lambda: expect(
            201, user.ask("/files/", "POST", creation("a.mp4", len(data)), data)
        ),
        "gRPC, status": status,
        "gRPC, upload of 1 MiB": upload,
    }


def expect(status: int, answer: Answer) -> None:
    assert answer.status == status, answer


def timings(call: Call) -> Timings:
    def one() -> float:
        started = time.perf_counter()
        call()
        return time.perf_counter() - started

    return [one() for _ in range(ROUNDS)]


def still_open(sockets: list[socket.socket]) -> int:
    """The number of connections that have neither ended nor been answered."""
    return len(sockets) - len(select.select(sockets, [], [], 0)[0])


def slow_pages(pages: list[Caller], bodies: int, watches: int, stack: ExitStack) -> Iterator[socket.socket]:
    for number in range(bodies):
        page = pages[number % len(pages)]
        yield stack.enter_context(page.half_patch() if number < bodies // 2 else page.half_chunk())
    for number in range(watches):
        stack.enter_context(pages[number % len(pages)].watch())


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--bodies", type=int, default=100)
    parser.add_argument("--watches", type=int, default=100)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        data, address = Path(folder) / "data", f"127.0.0.1:{free_port()}"
        with tokens(Settings(data_dir=str(data))) as made:
            secrets = [made.create(f"user{number}")[1] for number in range(1 + PAGES)]
        options = ["--auth", "token", "--workers", "0", "--http", address]
        quiet = {"FACECLI_LOG_LEVEL": "error"}
        running = stack.enter_context(Server(data, options=options, environment=quiet))
        user, *pages = (Caller(f"http://{address}", secret) for secret in secrets)
        regular = calls(user, stack.enter_context(grpc.insecure_channel(running.address)))
        for call in regular.values():
            call()  # the first one is slower
        found = {"idle": {name: timings(call) for name, call in regular.items()}}
        with ExitStack() as held:
            bodies = list(slow_pages(pages, arguments.bodies, arguments.watches, held))
            title = f"{arguments.bodies} bodies, {arguments.watches} watches"
            found[title] = {name: timings(call) for name, call in regular.items()}
            sys.stdout.write(f"{still_open(bodies)} of {len(bodies)} bodies were still open at the end\n\n")
        found["after"] = {name: timings(call) for name, call in regular.items()}
        show(found)


def show(found: Mapping[str, Mapping[str, Timings]]) -> None:
    """Print a table of milliseconds: median (smallest, largest)."""
    sys.stdout.write(f"| ms: median (min–max) | {' | '.join(found)} |\n|{'---|' * (1 + len(found))}\n")
    for name in next(iter(found.values())):
        cells = (shown([1000 * each for each in row[name]]) for row in found.values())
        sys.stdout.write(f"| {name} | {' | '.join(cells)} |\n")


def shown(values: list[float]) -> str:
    return f"{statistics.median(values):.1f} ({min(values):.1f}–{max(values):.1f})"


if __name__ == "__main__":
    main()
