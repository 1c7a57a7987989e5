"""Run a program on hostile input, inside the sandbox: limited, cancellable, and never outliving this process.

Theory of operation: every program starts through sandbox/launch.py, which limits and confines it, and stays
its parent, in a session of its own. One thread reads both pipes, so neither can fill up while it waits for
the other. Between reads, at most `POLL_SECONDS` apart, it checks for cancellation and the time limit. However
`run` ends, the launcher kills the program and all its descendants first; when this process is killed, the
kernel tells the launcher to do so.
"""

import math
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from facecli.core.errors import (
    Cancelled,
    DiskFull,
    FfmpegMissing,
    FileTooLarge,
    MediaRefused,
    ProgramKilled,
    Unavailable,
)
from facecli.core.video.frames import ProcessResult as ProcessResult
from facecli.media.sandbox.launch import CANNOT_START
from facecli.media.stderr import LineSplitter, StderrTail

POLL_SECONDS = 0.05
END_SECONDS = 10.0
READ_BYTES = 64 * 1024
DISK_RETRY_SECONDS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessLimits:
    """Limits of a program: wall-clock seconds, bytes of address space, bytes of one written file.

    `devices` are the device files that it may control; with `network` it may open connections.
    """

    seconds: float
    memory: int = 8 * 1024**3
    file_size: int = 64 * 1024**3
    open_files: int = 64
    devices: tuple[Path, ...] = ()
    network: bool = False


def run(
    command: Sequence[str],
    *,
    limits: ProcessLimits,
    reads: Iterable[Path] = (),
    writes: Iterable[Path] = (),
    stopped: Callable[[], bool] = lambda: False,
    on_stdout: Callable[[str], None] = lambda line: None,
    on_stderr: Callable[[str], None] = lambda line: None,
) -> ProcessResult:
    """Run to the end, passing on each line of stdout and stderr as it arrives.

    `reads` and `writes` are the files and directories that the sandbox allows. Cancelled within 100 ms of
    `stopped` returning True; MediaRefused past the time limit; DiskFull, FileTooLarge or FfmpegMissing when
    that is the cause of a failure; Unavailable when the machine cannot start another process. The program and
    all that it started are gone when this returns or raises, also when a callback raises.
    """
    if stopped():
        raise Cancelled
    tail = StderrTail()
    watchdog = Watchdog(limits.seconds, stopped)
    with started(command, limits, reads=reads, writes=writes) as process:
        assert process.stdout and process.stderr
        stderr = LineSplitter(tail.feed, on_stderr)
        _read({process.stdout: LineSplitter(on_stdout), process.stderr: stderr}, watchdog)
        while process.poll() is None:
            watchdog.check()
            with suppress(subprocess.TimeoutExpired):
                process.wait(POLL_SECONDS)
    result = ProcessResult(exit_code=process.returncode, error_text=tail.text(command))
    if result.exit_code:
        raise_machine_error(Path(command[0]).name, result, limits)
    return result


class Watchdog:
    """Checks for cancellation and the time limit, at most every `POLL_SECONDS`."""

    def __init__(self, seconds: float, stopped: Callable[[], bool]) -> None:
        self._stopped = stopped
        self._seconds = seconds
        self._started = self._checked = time.monotonic()

    def check(self) -> None:
        now = time.monotonic()
        if now - self._checked < POLL_SECONDS / 2:
            return
        self._checked = now
        if self._stopped():
            raise Cancelled
        if now - self._started > self._seconds:
            raise MediaRefused(f"the file takes longer than {self._seconds:g} s; it is too large or broken")


@contextmanager
def started(
    command: Sequence[str],
    limits: ProcessLimits,
    *,
    reads: Iterable[Path],
    writes: Iterable[Path],
    stdin: int = subprocess.DEVNULL,
    shares: Sequence[int] = (),
) -> Iterator[subprocess.Popen[bytes]]:
    """Start a program in the sandbox, and end it with the context; it inherits the descriptors `shares`."""
    access = [f"r{path.absolute()}" for path in reads] + [f"w{path.absolute()}" for path in writes]
    access += [f"d{path}" for path in limits.devices] + ["n"] * limits.network
    cpu_seconds = math.ceil(limits.seconds * (os.cpu_count() or 1)) + 1
    numbers = (os.getpid(), limits.memory, limits.file_size, cpu_seconds, limits.open_files)
    launcher = str(Path(__file__).parent / "sandbox" / "launch.py")
    try:
        started = subprocess.Popen(
            [sys.executable, "-I", "-S", launcher, *map(str, numbers), *access, "--", *command],
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            env={},
            cwd="/",
            start_new_session=True,
            pass_fds=shares,
        )
    except OSError as error:  # out of processes, memory or file descriptors
        name = Path(command[0]).name
        raise Unavailable(f"{name} could not be started now: {error.strerror}; try again") from error
    with started as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Have the launcher kill everything; kill it and its process group if it does not answer."""
    process.terminate()
    process.send_signal(signal.SIGCONT)
    try:
        process.wait(END_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)


def _read(pipes: Mapping[IO[bytes], LineSplitter], watchdog: Watchdog) -> None:
    with selectors.DefaultSelector() as selector:
        for pipe, lines in pipes.items():
            selector.register(pipe, selectors.EVENT_READ, lines)
        while selector.get_map():
            for key, _ in selector.select(POLL_SECONDS):
                data = os.read(key.fd, READ_BYTES)
                if data:
                    key.data.feed(data)
                else:
                    key.data.end()
                    selector.unregister(key.fileobj)
            watchdog.check()


def raise_machine_error(name: str, result: ProcessResult, limits: ProcessLimits) -> None:
    """Raise if the machine, and not the input file, made the program fail."""
    if result.exit_code == CANNOT_START or "Unknown encoder" in result.error_text:
        raise FfmpegMissing(f"{name} cannot be used: {result.error_text}")
    if "No space left on device" in result.error_text or "Disk quota exceeded" in result.error_text:
        raise DiskFull(retry_after=DISK_RETRY_SECONDS)
    if "File too large" in result.error_text:
        raise FileTooLarge(f"the result would be larger than {limits.file_size} bytes")
    if result.exit_code == -signal.SIGKILL:
        raise ProgramKilled(f"{name} was killed from outside, perhaps because the machine ran out of memory")
