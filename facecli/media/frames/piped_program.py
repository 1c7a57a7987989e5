"""PipedProgram: a program in the sandbox that is fed, and read, while it runs.

Theory of operation: all pipes are non-blocking, and one thread serves them. Whatever it waits for, it also
reads the program's stderr, and while it writes, it also reads its stdout, up to `max_unread` bytes: a program
that waits for its own output to be read would otherwise never read its input. Between waits it checks for
cancellation and limits, as `run` does.
"""

import fcntl
import os
import selectors
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from facecli.core.errors import Cancelled, FacecliError
from facecli.core.video.frames import ProcessResult, SharedMemory
from facecli.media.frames.read_ahead import ReadAhead
from facecli.media.frames.shared_memory import shared_memory
from facecli.media.run import (
    POLL_SECONDS,
    READ_BYTES,
    ProcessLimits,
    Watchdog,
    raise_machine_error,
    started,
)
from facecli.media.stderr import LineSplitter, StderrTail

PIPE_BYTES = 1024 * 1024  # of a pipe, where the system grants it: 64 KiB are 22 waits for a frame of 720p
MAX_UNREAD = 64 * 1024


@contextmanager
def piped(
    command: Sequence[str],
    *,
    limits: ProcessLimits,
    reads: Iterable[Path] = (),
    writes: Iterable[Path] = (),
    stopped: Callable[[], bool],
    on_stderr: Callable[[str], None] = lambda line: None,
    name: str = "",
    idle_seconds: float | None = None,
    max_unread: int = MAX_UNREAD,
    memory: int = 0,
) -> "Iterator[PipedProgram]":
    """Start the program; it and all that it started are gone when the context ends.

    `name` is the subject of the error when nothing moves for `idle_seconds` while it is waited for. At least
    `max_unread` bytes of its output are taken while it is written to, and about as many are kept. `memory` is
    the number of bytes to share with it.
    """
    if stopped():
        raise Cancelled
    with (
        shared_memory(memory) as shared,
        started(
            command,
            limits,
            reads=reads,
            writes=writes,
            stdin=subprocess.PIPE,
            shares=[shared.descriptor] if shared else (),
        ) as process,
    ):
        program = PipedProgram(
            process,
            command,
            limits=limits,
            stopped=stopped,
            on_stderr=on_stderr,
            name=name or Path(command[0]).name,
            idle_seconds=idle_seconds,
            max_unread=max_unread,
            memory=shared,
        )
        try:
            yield program
        finally:
            program.close()


class PipedProgram:
    def __init__(
        self,
        process: subprocess.Popen[bytes],
        command: Sequence[str],
        *,
        limits: ProcessLimits,
        stopped: Callable[[], bool],
        on_stderr: Callable[[str], None],
        name: str,
        idle_seconds: float | None,
        max_unread: int,
        memory: SharedMemory | None,
    ) -> None:
        assert process.stdin and process.stdout and process.stderr
        self._process, self._command, self._limits = process, command, limits
        self._name, self._idle_seconds = name, idle_seconds
        self._stdin, self._stdout, self._stderr = process.stdin, process.stdout, process.stderr
        self._tail = StderrTail()
        self._lines = LineSplitter(self._tail.feed, on_stderr)
        self._watchdog = Watchdog(limits.seconds, stopped)
        self._unread = ReadAhead(max(max_unread, READ_BYTES))
        self.memory = memory
        self._ended = False  # its output
        self._moved = time.monotonic()
        self._selector = selectors.DefaultSelector()
        for pipe in (self._stdin, self._stdout, self._stderr):
            os.set_blocking(pipe.fileno(), False)
            with suppress(OSError, AttributeError):  # over the user's limit, or not Linux
                fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
        self._selector.register(self._stderr, selectors.EVENT_READ, self._read_stderr)
        self._selector.register(self._stdout, selectors.EVENT_READ, self._read_ahead)

    def write(self, data: bytes | bytearray | memoryview) -> bool:
        left = memoryview(data)
        self._moved = time.monotonic()
        self._selector.register(self._stdin, selectors.EVENT_WRITE)
        try:
            while left:
                if not self._wait():
                    continue
                with suppress(BlockingIOError):
                    left = left[os.write(self._stdin.fileno(), left) :]
                    self._moved = time.monotonic()
        except BrokenPipeError:
            return False
        finally:
            self._selector.unregister(self._stdin)
        return True

    def read(self, size: int) -> bytearray:
        data = bytearray(size)
        with memoryview(data) as view:
            at = self.read_into(view)
        return data if at == size else data[:at]

    def read_into(self, view: memoryview) -> int:
        """Fill a buffer; return the number of bytes, fewer than fit only at the end of its output."""
        self._moved = time.monotonic()
        at, size = self._unread.take(view), len(view)
        self._listen_to_stdout()
        while at < size and not self._ended:
            with suppress(BlockingIOError):
                if read := os.readv(self._stdout.fileno(), [view[at:]]):
                    at, self._moved = at + read, time.monotonic()
                    continue
                self._end_of_stdout()
                break
            self._wait(ahead=False)
        return at

    def wait(self) -> ProcessResult:
        self._stdin.close()
        self._moved = time.monotonic()
        while self._selector.get_map():
            self._unread.clear()
            self._listen_to_stdout()
            self._wait()
        while self._process.poll() is None:
            self._watch()
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(POLL_SECONDS)
        result = ProcessResult(exit_code=self._process.returncode, error_text=self._tail.text(self._command))
        if result.exit_code:
            raise_machine_error(Path(self._command[0]).name, result, self._limits)
        return result

    def wait_for_stderr(self) -> bool:
        """Wait a moment for lines on its stderr; False after their end."""
        if self._stderr not in self._selector.get_map():
            return False
        self._wait(ahead=False)
        return True

    def close(self) -> None:
        self._selector.close()

    def _wait(self, *, ahead: bool = True) -> bool:
        """Wait for any pipe, and read what there is; return whether stdin takes more."""
        writable = False
        for key, _ in self._selector.select(POLL_SECONDS):
            if key.fileobj is self._stdin:
                writable = True
            elif key.fileobj is self._stderr or ahead:
                key.data()
        self._watch()
        return writable

    def _watch(self) -> None:
        self._watchdog.check()
        if self._idle_seconds is not None and time.monotonic() - self._moved > self._idle_seconds:
            raise FacecliError(f"{self._name} did not respond for {self._idle_seconds:g} s, and was ended")

    def _read_stderr(self) -> None:
        with suppress(BlockingIOError):
            if data := os.read(self._stderr.fileno(), READ_BYTES):
                self._lines.feed(data)
            else:
                self._lines.end()
                self._selector.unregister(self._stderr)

    def _read_ahead(self) -> None:
        if self._unread.full:
            self._selector.unregister(self._stdout)
            return
        read = self._unread.fill(self._stdout.fileno())
        if read == 0:
            self._end_of_stdout()
        elif read:
            self._moved = time.monotonic()

    def _listen_to_stdout(self) -> None:
        if not self._ended and self._stdout not in self._selector.get_map():
            self._selector.register(self._stdout, selectors.EVENT_READ, self._read_ahead)

    def _end_of_stdout(self) -> None:
        self._ended = True
        if self._stdout in self._selector.get_map():
            self._selector.unregister(self._stdout)
