"""A `facecli serve` process, the processes it starts, and the RPCs that tests ask it with."""

import hashlib
import io
import os
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
from tests.support.e2e.fork_server import ForkedProcess, start_command
from tests.support.e2e.proc import peak_memory_bytes, processes_of
from tests.support.eventually import DEADLINE


class Server:
    """`facecli serve` on a port and a data directory that stay the same across restarts.

    Leaving the context fails the test if the log has a traceback, unless `allow_tracebacks` is set.
    """

    def __init__(
        self,
        data: Path,
        *,
        host: str = "127.0.0.1",
        options: Iterable[str] = (),
        environment: Mapping[str, str] | None = None,
        allow_tracebacks: bool = False,
    ) -> None:
        self.data = data
        self._allow_tracebacks = allow_tracebacks
        self._logged = io.StringIO()
        self._log_changed = threading.Condition()
        self._log_readers: list[threading.Thread] = []
        self._options = list(options)
        self.environment = {**os.environ, **(environment or {})}
        # Bound but not listening, so that no other process takes the port while the server is down.
        self._reserved_port = socket.socket()
        self._reserved_port.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._reserved_port.bind((host, 0))
        self.address = f"{host}:{self._reserved_port.getsockname()[1]}"
        self._process: ForkedProcess | subprocess.Popen[str] | None = None

    def start(self, *options: str) -> Self:
        """Start the server, this once with more options, and wait until it listens."""
        command = ["serve", "--bind", self.address, "--data-dir", str(self.data), *self._options, *options]
        self._process = start_command(command, environment=self.environment)
        assert self._process.stdout and self._process.stderr
        self._log_readers.append(threading.Thread(target=self._read_log, args=(self._process.stderr,)))
        self._log_readers[-1].start()
        assert self._process.stdout.readline() == f"listening on {self.address}\n", self._logged.getvalue()
        return self

    def wait_for_log(self, *texts: str) -> None:
        """Wait until the server or a worker has logged one of these texts."""
        with self._log_changed:
            logged = self._log_changed.wait_for(
                lambda: any(text in self._logged.getvalue() for text in texts), DEADLINE
            )
            assert logged, self._logged.getvalue()

    @property
    def log(self) -> str:
        """The log of the server and its workers so far."""
        with self._log_changed:
            return self._logged.getvalue()

    @property
    def pid(self) -> int:
        assert self._process
        return self._process.pid

    def kill(self) -> None:
        """Send SIGKILL to the server process only."""
        self._signal(signal.SIGKILL)
        self.wait_until_killed()

    def wait_until_killed(self) -> None:
        """Wait for the end that a SIGKILL from elsewhere brings."""
        assert self._exit_code() == -signal.SIGKILL

    def kill_worker(self) -> None:
        """Send SIGKILL to the only worker."""
        (worker,) = self.workers()
        os.kill(worker, signal.SIGKILL)

    def terminate(self) -> int:
        """Send SIGTERM; return the exit code."""
        self._signal(signal.SIGTERM)
        return self._exit_code()

    def interrupt(self) -> int:
        """Send SIGINT to the process group, as Ctrl-C does; return the exit code."""
        os.killpg(self.pid, signal.SIGINT)
        return self._exit_code()

    def workers(self) -> list[int]:
        return [pid for pid, arguments in self._descendants().items() if "worker" in arguments]

    def ffmpegs(self) -> list[int]:
        """The ffmpeg processes that are encoding."""
        return [
            pid
            for pid, arguments in self._descendants().items()
            if "-filter_complex" in arguments and "launch.py" not in " ".join(arguments)
        ]

    def descendants(self) -> list[int]:
        """Every process that runs for this data directory, except the server itself."""
        return list(self._descendants())

    def peak_memory(self) -> int:
        """The most memory that was resident since the start, in bytes."""
        return peak_memory_bytes(self.pid)

    def uploads(self, user: str) -> dict[str, int]:
        """The stored bytes of each upload of a user, by name."""
        with grpc.insecure_channel(self.address) as channel:
            stub = upload_service_pb2_grpc.UploadServiceStub(channel)
            response = stub.ListUploads(upload_service_pb2.ListUploadsRequest(user_id=user))
        return {upload.name: upload.stored_bytes for upload in response.uploads}

    def sha256(self, url: str, user: str) -> str:
        """The checksum of a file as the server sends it."""
        digest = hashlib.sha256()
        with grpc.insecure_channel(self.address) as channel:
            stub = file_service_pb2_grpc.FileServiceStub(channel)
            for part in stub.Download(file_service_pb2.DownloadRequest(user_id=user, url=url)):
                digest.update(part.data)
        return digest.hexdigest()

    def cancel(self, task_id: str) -> str:
        """Cancel a task by RPC, which is quicker than a command; return its status."""
        with grpc.insecure_channel(self.address) as channel:
            request = task_service_pb2.CancelTaskRequest(user_id="local", task_id=task_id)
            response = task_service_pb2_grpc.TaskServiceStub(channel).CancelTask(request)
        return str(response.task.status)

    def results(self) -> list[Path]:
        """The results under outputs/; without any, whatever contact sheets are left there."""
        files = [path for path in _below(self.data / "outputs") if path.is_file()]
        return [path for path in files if not path.parent.name.endswith(".sheet")] or files

    def work_files(self) -> list[Path]:
        """The files and folders under work/."""
        return _below(self.data / "work")

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process and self._process.poll() is None:
            self._process.terminate()
            self._exit_code()
        for pid in self.descendants():  # each of them keeps the log's pipe open
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        for reader in self._log_readers:
            reader.join()
        self._reserved_port.close()
        sys.stderr.write(self._logged.getvalue())
        shutil.rmtree(self.data, ignore_errors=True)
        if kind is None and not self._allow_tracebacks:
            assert "Traceback" not in self._logged.getvalue(), "the server or a worker has a bug"

    def _read_log(self, pipe: IO[str]) -> None:
        """Read until the server and its workers are gone."""
        with pipe:
            for line in pipe:
                with self._log_changed:
                    self._logged.write(line)
                    self._log_changed.notify_all()

    def _signal(self, number: signal.Signals) -> None:
        assert self._process and self._process.poll() is None, self._logged.getvalue()
        self._process.send_signal(number)

    def _exit_code(self) -> int:
        assert self._process and self._process.stdout
        try:
            code = self._process.wait(DEADLINE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            raise
        self._process.stdout.close()
        return code

    def _descendants(self) -> dict[int, list[str]]:
        processes = processes_of(self.data)
        if self._process:
            processes.pop(self.pid, None)
        return processes


def _below(folder: Path) -> list[Path]:
    """Files and folders; unlike Path.rglob, it allows for a worker that removes a folder meanwhile."""
    return [Path(at) / name for at, folders, files in os.walk(folder) for name in (*folders, *files)]
