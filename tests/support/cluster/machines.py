"""The processes of a cluster, each of which can be killed, stopped and started again at its address."""

import os
import signal
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Protocol

from facecli.certificates import DevCertificates, make_dev_certificates
from tests.support.blobs.s3_servers import BUCKET, S3Server, rclone_server
from tests.support.e2e.process import CommandProcess
from tests.support.e2e.proxies import Command, front_of, proxy_command, running
from tests.support.e2e.server import Server
from tests.support.eventually import eventually
from tests.support.postgres import PROGRAMS, Postgres
from tests.support.sockets import free_port, is_open, reserved_address

STARTS = 3  # of a server that ends before it listens
CONNECTIONS = 200  # of PostgreSQL: 38 for each server, 12 for each worker
HTTP_PORT = free_port()  # of every server, each at an address of its own
OPTIONS = {
    "FACECLI_ENGINE": "mock",
    "FACECLI_LABEL_POLICY": "off",  # results are compared
    "FACECLI_TRUSTED_PROXIES": "127.0.0.0/8",
}


class Machine(Protocol):
    """A part of the cluster. `start` returns when it works; `stop` is what an operator does."""

    name: str

    def start(self) -> None: ...
    def kill(self) -> None: ...
    def stop(self) -> None: ...


class ServerMachine:
    """`facecli serve --workers 0` with HTTP."""

    def __init__(self, number: int, data: Path, environment: Mapping[str, str], stack: ExitStack) -> None:
        self.name = f"server {number}"
        host = f"127.0.0.{10 + number}"  # so that all have one port for HTTP
        options = ["--workers", "0", "--http", f"{host}:{HTTP_PORT}"]
        self.server = Server(data, host=host, options=options, environment=environment)
        stack.enter_context(self.server)

    def start(self) -> None:
        """Again if it ends at once, as a service manager does: its bucket may be busy."""
        for _ in range(STARTS - 1):
            with suppress(AssertionError):
                self.server.start()
                return
        self.server.start()

    def kill(self) -> None:
        self.server.kill()

    def stop(self) -> None:
        code = self.server.terminate()
        assert code == 0, f"{self.name} ended with {code}"


class WorkerMachine:
    """`facecli worker`."""

    def __init__(self, name: str, data: Path, environment: Mapping[str, str], stack: ExitStack) -> None:
        self.name = name
        self._data = data
        self._environment = environment
        self._stack = stack
        self.start()

    def start(self) -> None:
        self._process = CommandProcess(
            "worker", "--data-dir", self._data, "--name", self.name, environment=self._environment
        )
        self._stack.enter_context(self._process)
        lines = (self._process.wait_for_line("err", number=number) for number in count(1))
        assert any("worker started" in line or line == "\n" for line in lines)

    def kill(self) -> None:
        self._process.kill()

    def stop(self) -> None:
        self._process.terminate()
        result = self._process.wait()
        assert result.code == 0, f"{self.name} ended with {result.code}: {result.err[-2000:]}"


class PostgresMachine:
    """PostgreSQL; `kill` is what `pg_ctl stop -m immediate` does."""

    name = "postgresql"

    def __init__(self, stack: ExitStack) -> None:
        self._server = Postgres(PROGRAMS[-1].parent, connections=CONNECTIONS)
        stack.callback(self._server.close)
        self.start()
        self.url = self._server.new_database(over="tcp")

    def start(self) -> None:
        self._server.start()

    def kill(self) -> None:
        self._server.stop(signal.SIGQUIT)

    def stop(self) -> None:
        self._server.stop(signal.SIGINT)  # fast: ends connections


class S3Machine:
    """`rclone serve s3` on a directory."""

    name = "s3"

    def __init__(self, files: Path, stack: ExitStack) -> None:
        (files / BUCKET).mkdir(parents=True)
        self.files = files
        self._address = stack.enter_context(reserved_address())
        self._life = ExitStack()
        stack.callback(lambda: self._life.close())
        self.start()
        self.url = self.server.url()

    def start(self) -> None:
        self.server: S3Server = self._life.enter_context(rclone_server(self.files, address=self._address))

    def kill(self) -> None:
        os.kill(self.server.pid, signal.SIGKILL)
        self._life.close()

    def stop(self) -> None:
        os.kill(self.server.pid, signal.SIGTERM)
        self._life.close()


class ProxyMachine:
    """HAProxy or nginx, where TLS ends."""

    def __init__(self, kind: str, command: Command, address: str, stack: ExitStack) -> None:
        self.name = kind
        self.address = address
        self._command = command
        self._life = ExitStack()
        stack.callback(lambda: self._life.close())
        self.start()

    def start(self) -> None:
        self._process = self._life.enter_context(running(self._command))
        eventually(lambda: is_open(self.address))

    def kill(self) -> None:
        """With its children: nginx has a worker."""
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._life.close()

    def stop(self) -> None:
        """At once: neither would end while a watch goes on."""
        self._process.terminate()
        self._process.wait()
        self._life.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """`client` are the options with which commands reach it through the proxy."""

    machines: Sequence[Machine]
    address: str
    ca: Path
    files: Path  # of the bucket
    environment: Mapping[str, str]

    @property
    def client(self) -> tuple[str, ...]:
        return ("--server", self.address, "--tls-ca", str(self.ca))

    @property
    def servers(self) -> "list[ServerMachine]":
        return [each for each in self.machines if isinstance(each, ServerMachine)]


@contextmanager
def running_cluster(folder: Path, *, proxy: str, size: int) -> Iterator[Cluster]:
    """`size` servers and as many workers."""
    folder.mkdir()
    certs: DevCertificates = make_dev_certificates(folder / "certs", hosts=["localhost"], user="ann")
    with ExitStack() as stack:
        postgres, s3 = PostgresMachine(stack), S3Machine(folder / "s3", stack)
        shared = {
            "FACECLI_DATABASE": postgres.url,
            "FACECLI_BLOBS": s3.url,
            **s3.server.environment,
            **OPTIONS,
        }
        serving = [
            ServerMachine(number, folder / f"server{number}", shared, stack) for number in range(1, size + 1)
        ]
        working = [
            WorkerMachine(f"worker{number}", folder / f"worker{number}", shared, stack)
            for number in range(1, size + 1)
        ]
        front = front_of(
            certs, folder, servers=[each.server.address for each in serving], http_port=HTTP_PORT
        )
        command = proxy_command(proxy, front, folder)
        before = ProxyMachine(proxy, command, f"localhost:{front.port}", stack)
        # Mixed, so that uploads and tasks are still going on for each of them.
        mixed = [each for pair in zip(serving, working, strict=True) for each in pair]
        yield Cluster(
            machines=(*mixed[:2], postgres, s3, before, *mixed[2:]),
            address=before.address,
            ca=certs.ca,
            files=s3.files / s3.url.removeprefix("s3://"),
            environment=shared,
        )
