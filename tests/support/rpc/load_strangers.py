"""Measure how many silent callers a server bears while a regular user's calls stay fast.

`python -m tests.support.rpc.load_strangers` prints a table. For each kind of silent connection or call it
opens more and more of them, and after each step times a health check, a status and an upload of 1 MiB. A step
is borne while each of these takes at most twice as long as on the idle server, plus a millisecond.
"""

import argparse
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from facecli.bootstrap.tokens import tokens
from facecli.certificates import make_dev_certificates
from facecli.config.settings import Settings
from facecli.wire.generated import video_service_pb2 as pb
from facecli.wire.generated import video_service_pb2_grpc as pb_grpc
from tests.support.e2e.server import Server
from tests.support.rpc.http2 import HALF_MESSAGE, PREFACE, Headers, RawConnection, tcp

STEPS = (100, 300, 1_000, 3_000, 10_000)
CALLS_PER_CONNECTION = 200
ROUNDS = 21  # timings of each call, of which the median counts
SLACK = 0.001  # seconds
ATTEMPTS = 3  # of a step: the first one may fall into the arrival of its strangers
TIMEOUT = 20.0  # seconds after which a call has failed
METHODS = {
    "unary": "/video.VideoService/GetTaskStatus",
    "client stream": "/video.VideoService/UploadVideo",
    "server stream": "/video.FileService/Download",
    "bidi": "/video.UploadService/StreamUpload",
    "health": "/grpc.health.v1.Health/Check",
}
BODIES = {"after the headers": b"", "in the message": HALF_MESSAGE}
HELLO = bytes.fromhex("16030100c8010000c40303")  # the beginning of a TLS handshake

Closable = Any
Opener = Callable[[int], list[Closable]]
Timings = dict[str, float]  # name of a call → its median in seconds


class User:
    """A regular user; `secret` is the token."""

    def __init__(self, channel: grpc.Channel, secret: str) -> None:
        self._health: Any = health_pb2_grpc.HealthStub(channel)
        self._videos = pb_grpc.VideoServiceStub(channel)
        self._options: Any = {
            "timeout": TIMEOUT,
            "metadata": (("authorization", f"Bearer {secret}"),) if secret else (),
        }

    def timings(self) -> Timings:
        """The median of each call; infinite for one that failed."""
        calls = {"health": self._check, "status": self._status, "upload": self._upload}
        return {name: statistics.median(self._rounds(call)) for name, call in calls.items()}

    def _rounds(self, call: Callable[[], object]) -> Iterator[float]:
        for _ in range(ROUNDS):
            started = time.monotonic()
            try:
                call()
            except grpc.RpcError as error:
                if error.code() is not grpc.StatusCode.NOT_FOUND:  # the status of an unknown task
                    yield float("inf")
                    return
            yield time.monotonic() - started

    def _check(self) -> object:
        return self._health.Check(health_pb2.HealthCheckRequest(), timeout=TIMEOUT)

    def _status(self) -> object:
        return self._videos.GetTaskStatus(pb.TaskStatusRequest(task_id="0" * 32), **self._options)

    def _upload(self) -> object:
        message = pb.UploadRequest(file_name="a.mp4", file_type="video", total_chunks=1, chunk=bytes(2**20))
        return self._videos.UploadVideo(iter([message]), **self._options)


class Strangers:
    """Silent connections and calls, kept open and answering HTTP/2 pings until closed."""

    def __init__(self) -> None:
        self._open: list[Closable] = []
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._answer, daemon=True)
        self._thread.start()

    def add(self, opened: Sequence[Closable]) -> None:
        self._open.extend(opened)

    def close(self) -> None:
        self._closed.set()
        self._thread.join()
        for each in self._open:
            each.close()

    def _answer(self) -> None:
        while not self._closed.wait(0.5):
            for each in tuple(self._open):
                while isinstance(each, RawConnection) and not each.closed and each.read():
                    pass


def connections(address: str, sent: bytes) -> Opener:
    """Connections that send these bytes and nothing more."""

    def opened(count: int) -> list[Closable]:
        made = [tcp(address) for _ in range(count)]
        for connection in made:
            connection.sendall(sent)
        return made

    return opened


def calls(address: str, path: str, headers: Headers, body: bytes) -> Opener:
    """Calls that send their headers and a part of a message, many on a connection."""

    def opened(count: int) -> list[Closable]:
        made = [RawConnection(address) for _ in range(-(-count // CALLS_PER_CONNECTION))]
        for number in range(count):
            made[number % len(made)].call(path, headers, body=body)
        return made

    return opened


def kinds(address: str, credentials: Mapping[str, Headers]) -> Iterator[tuple[str, Opener]]:
    yield "connection, silent", connections(address, b"")
    yield "connection, half an HTTP/2 preface", connections(address, PREFACE[:12])
    yield "connection, no call", connections(address, PREFACE)
    for caller, headers in credentials.items():
        for kind, path in METHODS.items():
            for moment, body in BODIES.items():
                if kind != "health" or not headers:
                    yield f"{kind} call, {moment}, {caller}", calls(address, path, headers, body)


def measure(user: User, opened: Opener, steps: Sequence[int], idle: Timings) -> tuple[int, Timings]:
    """The largest number that the server bears, and the timings of the last step."""
    strangers, borne, total, timings = Strangers(), 0, 0, idle
    try:
        for step in steps:
            with suppress(OSError):
                strangers.add(opened(step - total))
            total = step
            for _ in range(ATTEMPTS):
                timings = user.timings()
                if is_borne := all(timings[name] <= 2 * idle[name] + SLACK for name in idle):
                    break
            if not is_borne:
                break
            borne = step
    finally:
        strangers.close()
    return borne, timings


@contextmanager
def server(folder: Path, **environment: str) -> Iterator[Server]:
    with Server(folder / "data", environment={"FACECLI_WORKERS": "0", **environment}) as running:
        yield running
        running.terminate()


def table(
    title: str, server: Server, user: User, found: Iterator[tuple[str, Opener]], steps: Sequence[int]
) -> None:
    idle = user.timings()
    idle = user.timings()
    _print(
        f"\n{title}: idle {_shown(idle)}\n\n| silent | borne | health, status, upload then |\n|---|---|---|"
    )
    for kind, opened in found:
        borne, timings = measure(user, opened, steps, idle)
        _print(f"| {kind} | {borne} | {_shown(timings)} |")


def _print(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _shown(timings: Timings) -> str:
    return ", ".join("none" if t == float("inf") else f"{1000 * t:.1f} ms" for t in timings.values())


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--steps", default=",".join(map(str, STEPS)), help="numbers of strangers, rising")
    parser.add_argument("--only", default="", help="measure kinds whose name contains this text")
    arguments = parser.parse_args()
    steps = [int(step) for step in arguments.steps.split(",")]

    def chosen(found: Iterator[tuple[str, Opener]]) -> Iterator[tuple[str, Opener]]:
        return (each for each in found if arguments.only in each[0])

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with tokens(Settings(data_dir=str(folder / "token" / "data"))) as made:
            bob, eve = (made.create(user)[1] for user in ("bob", "eve"))
        wrong = f"{eve[:-64]}{'0' * 64}"
        shown: dict[str, Headers] = {"no token": ()}
        shown |= {
            caller: (("authorization", f"Bearer {secret}"),)
            for caller, secret in (("wrong token", wrong), ("another user's token", eve))
        }
        with (
            server(folder / "token", FACECLI_AUTH="token") as running,
            grpc.insecure_channel(running.address) as own,
        ):
            table("--auth token", running, User(own, bob), chosen(kinds(running.address, shown)), steps)
        with server(folder / "none") as running, grpc.insecure_channel(running.address) as own:
            found = kinds(running.address, {"trusted name": ()})
            table("--auth none", running, User(own, ""), chosen(found), steps)
        _over_tls(folder / "tls", steps, chosen)


def _over_tls(
    folder: Path, steps: Sequence[int], chosen: Callable[..., Iterator[tuple[str, Opener]]]
) -> None:
    certs = make_dev_certificates(folder, hosts=["localhost"], user="ann")
    files = {"FACECLI_TLS_CERT": str(certs.server), "FACECLI_TLS_KEY": str(certs.server_key)}
    authority = grpc.ssl_channel_credentials(certs.ca.read_bytes())
    with server(folder, **files) as running:
        name = running.address.replace("127.0.0.1", "localhost")
        with grpc.secure_channel(name, authority) as own:
            found = iter({"connection, half a TLS handshake": connections(running.address, HELLO)}.items())
            table("TLS", running, User(own, ""), chosen(found), steps)


if __name__ == "__main__":
    main()
