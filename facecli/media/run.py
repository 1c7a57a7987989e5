"""Runs a program on hostile input: limited, watched, stoppable, and never outliving this process."""

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
from facecli.media.sandbox.launch import CANNOT_START
from facecli.media.stderr import Lines, StderrTail

POLL = 0.05  # seconds between two looks at `stopped`
BLOCK = 64 * 1024  # bytes
DISK_RETRY = 60  # seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What a program may take: seconds on the clock, bytes of address space and of one file it writes."""

    seconds: float
    memory: int = 8 * 1024**3
    file_size: int = 64 * 1024**3
    open_files: int = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a program ended; `words` is what it said of its errors, short and printable."""

    exit_code: int
    words: str


def run(
    command: Sequence[str],
    *,
    bounds: Bounds,
    reads: Iterable[Path] = (),
    writes: Iterable[Path] = (),
    stopped: Callable[[], bool] = lambda: False,
    on_output: Callable[[str], None] = lambda line: None,
    on_words: Callable[[str], None] = lambda line: None,
) -> Ended:
    """Run to the end, handing on each line of stdout and stderr as it comes.

    `reads` and `writes` are the files and directories that it may open (media/sandbox/landlock.py).
    Cancelled within 100 ms of `stopped` saying yes; MediaRefused past the time limit; DiskFull, FileTooLarge
    or FfmpegMissing when that is why it failed; Unavailable when this machine has no room for a process. The
    whole process group is gone when this returns or raises, also when a listener raises.
    """
    if stopped():
        raise Cancelled
    words = StderrTail()
    watch = _Watch(bounds.seconds, stopped)
    reach = [f"r{path.absolute()}" for path in reads] + [f"w{path.absolute()}" for path in writes]
    with _started(command, bounds, reach) as process:
        assert process.stdout and process.stderr
        _read({process.stdout: Lines(on_output), process.stderr: Lines(words.hear, on_words)}, watch)
        while process.poll() is None:
            watch.look()
            with suppress(subprocess.TimeoutExpired):
                process.wait(POLL)
    ended = Ended(exit_code=process.returncode, words=words.text(command))
    if ended.exit_code:
        _blame(Path(command[0]).name, ended, bounds)
    return ended


class _Watch:
    """Asks `stopped` and the clock, no more often than every `POLL` seconds."""

    def __init__(self, seconds: float, stopped: Callable[[], bool]) -> None:
        self._stopped = stopped
        self._seconds = seconds
        self._began = self._looked = time.monotonic()

    def look(self) -> None:
        now = time.monotonic()
        if now - self._looked < POLL / 2:
            return
        self._looked = now
        if self._stopped():
            raise Cancelled
        if now - self._began > self._seconds:
            raise MediaRefused(f"the file takes longer than {self._seconds:g} s; it is too large or broken")


@contextmanager
def _started(
    command: Sequence[str], bounds: Bounds, reach: Sequence[str]
) -> Iterator[subprocess.Popen[bytes]]:
    cpu_seconds = math.ceil(bounds.seconds * (os.cpu_count() or 1)) + 1
    limits = (os.getpid(), bounds.memory, bounds.file_size, cpu_seconds, bounds.open_files)
    launcher = str(Path(__file__).parent / "sandbox" / "launch.py")
    try:
        started = subprocess.Popen(
            [sys.executable, "-I", "-S", launcher, *map(str, limits), *reach, "--", *command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            env={},
            cwd="/",
            start_new_session=True,
        )
    except OSError as error:  # no process, memory or open file is left for it
        name = Path(command[0]).name
        raise Unavailable(f"{name} could not be started now: {error.strerror}; try again") from error
    with started as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)


def _read(pipes: Mapping[IO[bytes], Lines], watch: _Watch) -> None:
    """Both pipes in one thread, so that neither can fill up while the other is waited for."""
    with selectors.DefaultSelector() as selector:
        for pipe, lines in pipes.items():
            selector.register(pipe, selectors.EVENT_READ, lines)
        while selector.get_map():
            for key, _ in selector.select(POLL):
                data = os.read(key.fd, BLOCK)
                if data:
                    key.data.feed(data)
                else:
                    key.data.end()
                    selector.unregister(key.fileobj)
            watch.look()


def _blame(name: str, ended: Ended, bounds: Bounds) -> None:
    """Raise when a program failed for a reason that is not in the file it read."""
    if ended.exit_code == CANNOT_START or "Unknown encoder" in ended.words:
        raise FfmpegMissing(f"{name} cannot be used: {ended.words}")
    if "No space left on device" in ended.words or "Disk quota exceeded" in ended.words:
        raise DiskFull(retry_after=DISK_RETRY)
    if "File too large" in ended.words:
        raise FileTooLarge(f"the result would be larger than {bounds.file_size} bytes")
    if ended.exit_code == -signal.SIGKILL:
        raise ProgramKilled(f"{name} was killed from outside, perhaps because the machine ran out of memory")
