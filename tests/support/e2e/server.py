"""A server as its users start it, its processes found through /proc, and what it tells who asks."""

import hashlib
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import grpc

from facecli.wire.generated import (
    file_service_pb2,
    file_service_pb2_grpc,
    task_service_pb2,
    task_service_pb2_grpc,
    upload_service_pb2,
    upload_service_pb2_grpc,
)
from tests.support.e2e.process import DEADLINE


class Server:
    """`facecli serve` on a port and a data directory that stay the same from one start to the next.

    On leaving it must not have met a bug, unless its machine was so broken that it `complains`.
    """

    def __init__(
        self,
        data: Path,
        *,
        options: Iterable[str] = (),
        environment: Mapping[str, str] | None = None,
        complains: bool = False,
    ) -> None:
        self.data = data
        self._complains = complains
        self._log = ""
        self._said = threading.Condition()
        self._listeners: list[threading.Thread] = []
        self._options = list(options)
        self.environment = {**os.environ, **(environment or {})}
        # Bound and not listening: nobody else is given the port while the server is down.
        self._place = socket.socket()
        self._place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._place.bind(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._place.getsockname()[1]}"
        self._process: subprocess.Popen[str] | None = None

    def start(self, *options: str) -> Self:
        """Wait until it listens; `options` are for this one time."""
        command = [sys.executable, "-m", "facecli", "serve", "--bind", self.address]
        self._process = subprocess.Popen(
            [*command, "--data-dir", str(self.data), *self._options, *options],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=self.environment,
            start_new_session=True,
        )
        assert self._process.stdout and self._process.stderr
        self._listeners.append(threading.Thread(target=self._listen, args=(self._process.stderr,)))
        self._listeners[-1].start()
        assert self._process.stdout.readline() == f"listening on {self.address}\n", self._log
        return self

    def heard(self, *words: str) -> None:
        """Wait until the server or a worker has said one of these."""
        with self._said:
            assert self._said.wait_for(lambda: any(word in self._log for word in words), DEADLINE), self._log

    @property
    def log(self) -> str:
        """What the server and its workers have said."""
        with self._said:
            return self._log

    @property
    def pid(self) -> int:
        assert self._process
        return self._process.pid

    def kill(self) -> None:
        """kill -9, of this one process."""
        self._signal(signal.SIGKILL)
        assert self._ended() == -signal.SIGKILL

    def kill_worker(self) -> None:
        """kill -9, of the only one."""
        (worker,) = self.workers()
        os.kill(worker, signal.SIGKILL)

    def terminate(self) -> int:
        """SIGTERM; the exit code."""
        self._signal(signal.SIGTERM)
        return self._ended()

    def interrupt(self) -> int:
        """Ctrl-C: SIGINT to the process group; the exit code."""
        os.killpg(self.pid, signal.SIGINT)
        return self._ended()

    def workers(self) -> list[int]:
        return [pid for pid, words in self._others().items() if "worker" in words]

    def ffmpegs(self) -> list[int]:
        """Those that encode now."""
        return [
            pid
            for pid, words in self._others().items()
            if "-filter_complex" in words and "launch.py" not in " ".join(words)
        ]

    def descendants(self) -> list[int]:
        """Every process that runs for this data directory, but the server's own."""
        return list(self._others())

    def peak_memory(self) -> int:
        """Bytes that were resident at most since the start."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(status.split("VmHWM:")[1].split()[0]) * 1024

    def uploads(self, user: str) -> dict[str, int]:
        """Names, and bytes that are stored."""
        with grpc.insecure_channel(self.address) as channel:
            stub = upload_service_pb2_grpc.UploadServiceStub(channel)
            listed = stub.ListUploads(upload_service_pb2.ListUploadsRequest(user_id=user))
        return {upload.name: upload.stored_bytes for upload in listed.uploads}

    def sha256(self, url: str, user: str) -> str:
        """Of the file behind a URL, as the server sends it."""
        digest = hashlib.sha256()
        with grpc.insecure_channel(self.address) as channel:
            stub = file_service_pb2_grpc.FileServiceStub(channel)
            for answer in stub.Download(file_service_pb2.DownloadRequest(user_id=user, url=url)):
                digest.update(answer.data)
        return digest.hexdigest()

    def cancel(self, task_id: str) -> str:
        """Without the time that a process takes; what the task then is."""
        with grpc.insecure_channel(self.address) as channel:
            request = task_service_pb2.CancelTaskRequest(user_id="local", task_id=task_id)
            answer = task_service_pb2_grpc.TaskServiceStub(channel).CancelTask(request)
        return str(answer.task.status)

    def results(self) -> list[Path]:
        """The files under outputs/."""
        return [path for path in (self.data / "outputs").rglob("*") if path.is_file()]

    def leftovers(self) -> list[Path]:
        """What lies in work/."""
        return list((self.data / "work").rglob("*"))

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process and self._process.poll() is None:
            self._process.terminate()
            self._ended()
        for pid in self.descendants():  # or this would wait for what they say
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        for listener in self._listeners:
            listener.join()
        self._place.close()
        sys.stderr.write(self._log)
        shutil.rmtree(self.data, ignore_errors=True)
        if kind is None and not self._complains:
            assert "Traceback" not in self._log, "the server or a worker met a bug"

    def _listen(self, pipe: IO[str]) -> None:
        """Until the server and its workers are gone."""
        with pipe:
            for line in pipe:
                with self._said:
                    self._log += line
                    self._said.notify_all()

    def _signal(self, number: signal.Signals) -> None:
        assert self._process and self._process.poll() is None, self._log
        self._process.send_signal(number)

    def _ended(self) -> int:
        assert self._process and self._process.stdout
        try:
            code = self._process.wait(DEADLINE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            raise
        self._process.stdout.close()
        return code

    def _others(self) -> dict[int, list[str]]:
        """pid → its words, for every process that has the data directory among its words or its settings."""
        found = {}
        for folder in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                words = (folder / "cmdline").read_bytes().decode(errors="replace").rstrip("\0").split("\0")
                settings = (folder / "environ").read_bytes().decode(errors="replace").split("\0")
                mine = any(str(self.data) in word for word in words)
                if mine or f"FACECLI_DATA_DIR={self.data}" in settings:
                    found[int(folder.name)] = words
        if self._process:
            found.pop(self.pid, None)
        return found


def parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/status").read_text().split("PPid:")[1].split()[0])


def wait_until_gone(pids: Iterable[int]) -> None:
    """Until each of these processes, anybody's children, has ended."""
    for pid in pids:
        with suppress(ProcessLookupError):
            handle = os.pidfd_open(pid)
            try:
                assert select.select([handle], [], [], DEADLINE)[0], f"process {pid} still runs"
            finally:
                os.close(handle)
