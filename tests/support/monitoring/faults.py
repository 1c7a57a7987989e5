"""Real faults, one for each alert: a context manager whose inside is the fault."""

import os
import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import grpc

from facecli.blobs.backup_mark import record_backup
from facecli.wire.generated import video_service_pb2 as pb
from tests.support.e2e.disks import Ballast
from tests.support.e2e.proc import wait_until_gone
from tests.support.e2e.process import CommandProcess, run
from tests.support.e2e.server import Server
from tests.support.e2e.strace import Strace
from tests.support.eventually import eventually
from tests.support.postgres import Postgres
from tests.unit.rpc.conftest import Stubs, frame

FLUSH_DELAY = 3_000_000  # microseconds
MIB = 1024 * 1024

Fault = Callable[[], AbstractContextManager[None]]


@dataclass(frozen=True)
class Stage:
    """The servers that are to suffer.

    `studio` has a worker, a small disk and no idle limit; `shared` has PostgreSQL and no worker; `secure` has
    TLS. `start_worker` starts one of `studio` that runs by itself.
    """

    folder: Path
    studio: Server
    shared: Server
    secure: Server
    postgres: Postgres
    start_worker: Callable[[], CommandProcess]
    workers: list[CommandProcess]  # the last one runs
    face: Path
    clip: Path


def to(server: Server) -> tuple[str, ...]:
    return ("--server", server.address, "--retry-for", "5s")


@contextmanager
def repeating(action: Callable[[], object], *, pause: float = 0.2) -> Iterator[None]:
    """Repeat something beside the inside, whether it succeeds or not."""
    over = threading.Event()

    def loop() -> None:
        while not over.wait(pause):
            with suppress(grpc.RpcError, OSError):
                action()

    thread = threading.Thread(target=loop)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


@contextmanager
def killed_server(stage: Stage) -> Iterator[None]:
    stage.secure.kill()
    try:
        yield
    finally:
        stage.secure.start()


@contextmanager
def killed_worker(stage: Stage) -> Iterator[None]:
    os.kill(stage.workers[-1].pid, signal.SIGKILL)
    try:
        yield
    finally:
        stage.workers.append(stage.start_worker())


@contextmanager
def lost_directory(stage: Stage) -> Iterator[None]:
    elsewhere = stage.secure.data.with_name("elsewhere")
    stage.secure.data.rename(elsewhere)
    try:
        yield
    finally:
        elsewhere.rename(stage.secure.data)


@contextmanager
def stopped_database(stage: Stage) -> Iterator[None]:
    """PostgreSQL is stopped, while a client goes on asking."""
    with grpc.insecure_channel(stage.shared.address) as channel:
        stubs = Stubs(channel)
        with repeating(lambda: stubs.videos.GetTaskStatus(pb.TaskStatusRequest(task_id="0" * 32), timeout=5)):
            stage.postgres.stop()
            try:
                yield
            finally:
                stage.postgres.start()


@contextmanager
def slow_disk(stage: Stage) -> Iterator[None]:
    """Every flush takes seconds, and a client uploads one small file after the other."""
    with (
        grpc.insecure_channel(stage.studio.address) as channel,
        Strace(stage.studio, "fdatasync,fsync", inject=f"delay_enter={FLUSH_DELAY}"),
        repeating(lambda: Stubs(channel).stored(os.urandom(1000))),
    ):
        yield


@contextmanager
def silent_client(stage: Stage) -> Iterator[None]:
    """A client sends one chunk and then nothing, to a server without an idle limit."""
    with grpc.insecure_channel(stage.studio.address) as channel:
        stubs, over = Stubs(channel), threading.Event()
        upload_id = stubs.begin()

        def frames() -> Iterator[pb.UploadRequest]:
            yield frame(upload_id, 0, b"0123")
            over.wait()

        call = stubs.uploads.StreamUpload(frames())
        next(call)
        try:
            yield
        finally:
            over.set()
            call.cancel()


@contextmanager
def no_worker(stage: Stage) -> Iterator[None]:
    create = ("task", "create", "--image", stage.face, "--video", stage.clip, "--engine", "mock", "-q")
    task = run(*create, *to(stage.shared)).out.strip()
    try:
        yield
    finally:
        run("task", "cancel", task, *to(stage.shared))


@contextmanager
def failing_engine(stage: Stage) -> Iterator[None]:
    options = ("--engine", "mock", "--option", "fail_at=0.1")
    for seed in range(4):
        create = ("task", "create", "--image", stage.face, "--video", stage.clip, *options)
        run(*create, "--option", f"seed={seed}", "--watch", "-q", *to(stage.studio), expect=3)
    yield


@contextmanager
def crashing_worker(stage: Stage) -> Iterator[None]:
    server = stage.studio
    for _ in range(5):
        (pid,) = eventually(lambda: [pid for pid in server.workers() if "extra" not in _arguments(pid)])
        os.kill(pid, signal.SIGKILL)
        wait_until_gone([pid])
    yield


def _arguments(pid: int) -> str:
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode()
    return "extra"


@contextmanager
def filling_disk(stage: Stage) -> Iterator[None]:
    """Somebody writes 64 KiB a second to a disk that is more than half full."""
    folder = stage.studio.data.parent
    space = shutil.disk_usage(folder)
    growing = folder / "growing"
    growing.write_bytes(bytes(max(0, space.free - space.total * 45 // 100)))

    def grow() -> None:
        with growing.open("ab") as file:
            file.write(bytes(64 * 1024))

    with repeating(grow, pause=1):
        yield
    growing.unlink()


@contextmanager
def full_disk(stage: Stage) -> Iterator[None]:
    folder = stage.studio.data.parent
    ballast = Ballast(folder)
    ballast.fill(leave=shutil.disk_usage(folder).total * 3 // 100)
    try:
        yield
    finally:
        ballast.free()


@contextmanager
def old_certificate(stage: Stage) -> Iterator[None]:
    """The certificate of the server expires tomorrow, until it is renewed in place."""
    certs = stage.folder / "certs"
    shutil.copy(certs / "short.pem", certs / "used.pem")
    yield
    shutil.copy(certs / "server.pem", certs / "used.pem")


@contextmanager
def old_token(stage: Stage) -> Iterator[None]:
    """A token expires tomorrow, until it is revoked."""
    data = ("--data-dir", stage.secure.data)
    known = set(run("token", "list", "-q", *data).out.split())
    run("token", "create", "ben", "--expires", "1d", *data)
    (token,) = set(run("token", "list", "-q", *data).out.split()) - known
    yield
    run("token", "revoke", token, *data)


@contextmanager
def old_backup(stage: Stage) -> Iterator[None]:
    """The last backup is three days old, until there is a new one."""
    record_backup(stage.secure.data, time.time() - 3 * 86400)
    yield
    run("backup", stage.folder / "backup", "--data-dir", stage.secure.data)
