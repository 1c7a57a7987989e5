"""Spares: a process of the engine that is started before its work is known, and loads OpenCV meanwhile.

Theory of operation: a process takes a third of a second until it can take its first message, on one core.
The engine starts one as soon as it will be needed; the next work that needs one just like it takes it over,
so a process never works for two. One that nobody takes is ended after `IDLE_SECONDS`. The kernel ends a
process in the sandbox with the thread that started it, so all are started in one thread that lasts.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue

from facecli.core.errors import FacecliError
from facecli.core.video.frames import SandboxedProgram
from facecli.core.video.media import Media, never

IDLE_SECONDS = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """The arguments of `Media.start` for a process."""

    command: Sequence[str]
    reads: Sequence[Path]
    name: str
    max_unread: int
    gpu: bool = False
    memory: int = 0

    @contextmanager
    def started(self, media: Media, *, stopped: Callable[[], bool]) -> Iterator[SandboxedProgram]:
        with media.start(
            self.command,
            reads=self.reads,
            name=self.name,
            max_unread=self.max_unread,
            gpu=self.gpu,
            memory=self.memory,
            stopped=stopped,
        ) as program:
            yield program


class Spares:
    """Keeps at most one process. Safe to use from many threads."""

    def __init__(self, media: Media, *, idle_seconds: float = IDLE_SECONDS) -> None:
        self._media, self._idle_seconds = media, idle_seconds
        self._kept: _Spare | None = None
        self._lock = threading.Lock()
        self._starts: SimpleQueue[_Spare] | None = None

    def prepare(self, launch: Launch) -> None:
        """Start a process, unless one like it is kept already; another one is ended."""
        with self._lock:
            before = self._kept
            if before and before.launch == launch:
                return
            self._kept = _Spare(launch, self._media)
            if self._starts is None:
                self._starts = SimpleQueue()
                threading.Thread(target=self._start_all, args=(self._starts,), daemon=True).start()
            self._starts.put(self._kept)
            self._kept.expiry = timer = threading.Timer(self._idle_seconds, self._expire, [self._kept])
            timer.daemon = True
            timer.start()
        if before:
            before.end()

    @contextmanager
    def program(self, launch: Launch, *, stopped: Callable[[], bool]) -> Iterator[SandboxedProgram]:
        """The process that is kept, if it is like this, else a new one."""
        with self._lock:
            spare = self._kept
            if spare and spare.launch == launch:
                self._kept = None
            else:
                spare = None
        if spare is None or (program := spare.taken(stopped)) is None:
            with launch.started(self._media, stopped=stopped) as program:
                yield program
            return
        try:
            yield program
        finally:
            spare.end()

    def _start_all(self, starts: "SimpleQueue[_Spare]") -> None:
        while True:
            starts.get().start()

    def _expire(self, spare: "_Spare") -> None:
        with self._lock:
            if self._kept is not spare:
                return
            self._kept = None
        spare.end()


class _Spare:
    def __init__(self, launch: Launch, media: Media) -> None:
        self.launch, self._media = launch, media
        self._stopped: Callable[[], bool] = never
        self._stack = ExitStack()
        self._program: Future[SandboxedProgram | None] = Future()
        self.expiry: threading.Timer | None = None

    def start(self) -> None:
        """To be called once, in the thread that lasts."""
        program = None
        try:
            context = self.launch.started(self._media, stopped=lambda: self._stopped())
            program = self._stack.enter_context(context)
        except FacecliError:  # the work that needs one will start it, and know why that fails
            pass
        finally:
            self._program.set_result(program)

    def taken(self, stopped: Callable[[], bool]) -> SandboxedProgram | None:
        """The running process, which now ends with `stopped`; None if it could not be started."""
        if self.expiry:
            self.expiry.cancel()
        self._stopped = stopped
        return self._program.result()

    def end(self) -> None:
        self._program.result()
        self._stack.close()
