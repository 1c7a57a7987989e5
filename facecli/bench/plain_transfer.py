"""The yardstick of upload benchmarks: plain TCP and fsync, and the disk alone, measured between the runs.

A ratio to it stays the same on a slower machine, which seconds do not.
"""

import os
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection as Pipe
from pathlib import Path
from typing import Any

from facecli.core.os_errors import translate_os_errors
from facecli.core.writeback import EarlyWriteback

BLOCK_SIZE = 1024 * 1024  # bytes received and written at once, as many as a large frame has
PROBE_SIZE = 256 * 1024 * 1024  # bytes at most that measure the disk
TIMEOUT = 60.0  # seconds without a byte
STORED = b"."


@dataclass(frozen=True, slots=True, kw_only=True)
class PlainResult:
    """Seconds of the plain transfer, and the bytes per second of the disk; None if nothing is flushed."""

    seconds: float
    disk_rate: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlainTransfer:
    """Sends the file `content` over the loopback into files in `folder`: `files` times on each connection.

    With `durable` every file is flushed before it is acknowledged.
    """

    content: Path
    folder: Path
    connections: int
    files: int
    durable: bool

    def serve(self, pipe: "Pipe[Any, Any]") -> None:
        """Answer every message with a PlainResult."""
        while True:
            pipe.recv()
            pipe.send(self.measure())

    def measure(self) -> PlainResult:
        """DiskFull, or StorageFailed."""
        with translate_os_errors(str(self.folder)):
            return PlainResult(
                seconds=self._transfer(), disk_rate=self._disk_rate() if self.durable else None
            )

    def _transfer(self) -> float:
        names = [
            [self.folder / f"plain-{number}-{file}" for file in range(self.files)]
            for number in range(self.connections)
        ]
        with (
            _removing([path for paths in names for path in paths]),
            socket.create_server(("127.0.0.1", 0), backlog=self.connections) as listener,
            ThreadPoolExecutor(2 * self.connections) as threads,
        ):
            listener.settimeout(TIMEOUT)
            started = time.monotonic()
            jobs = [threads.submit(self._receive, listener, paths) for paths in names]
            jobs += [threads.submit(self._send, listener.getsockname()) for _ in names]
            for job in jobs:
                job.result()
            return time.monotonic() - started

    def _send(self, address: tuple[str, int]) -> None:
        with socket.create_connection(address, timeout=TIMEOUT) as connection:
            for _ in range(self.files):
                with self.content.open("rb") as file:
                    connection.sendfile(file)
                if connection.recv(1) != STORED:
                    raise ConnectionError("the plain transfer broke")

    def _receive(self, listener: socket.socket, paths: list[Path]) -> None:
        size, block = self.content.stat().st_size, memoryview(bytearray(BLOCK_SIZE))
        connection, _ = listener.accept()
        with connection:
            connection.settimeout(TIMEOUT)
            for path in paths:
                with path.open("wb", buffering=0) as file:
                    left = size
                    while left:
                        received = connection.recv_into(block[: min(left, BLOCK_SIZE)])
                        if not received:
                            raise ConnectionError("the plain transfer broke")
                        _write_all(file.fileno(), block[:received])
                        left -= received
                    if self.durable:
                        os.fsync(file.fileno())
                connection.sendall(STORED)

    def _disk_rate(self) -> float:
        """Write as the server does: in order, with early writeback, and flushed at the end."""
        path = self.folder / "probe"
        size = min(self.content.stat().st_size * self.files * self.connections, PROBE_SIZE)
        block = memoryview(os.urandom(BLOCK_SIZE))
        with _removing([path]), path.open("wb", buffering=0) as file:
            started, written = time.monotonic(), 0
            writeback = EarlyWriteback(file.fileno(), 0)
            while written < size:
                part = block[: size - written]
                _write_all(file.fileno(), part)
                written += len(part)
                writeback.written(written)
            os.fdatasync(file.fileno())
            return size / (time.monotonic() - started)


def run_plain(pipe: "Pipe[Any, Any]", transfer: PlainTransfer) -> None:
    transfer.serve(pipe)


def _write_all(file: int, data: memoryview) -> None:
    while data:
        data = data[os.write(file, data) :]


@contextmanager
def _removing(paths: list[Path]) -> Iterator[None]:
    try:
        yield
    finally:
        for path in paths:
            path.unlink(missing_ok=True)
