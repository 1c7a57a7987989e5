"""Spares: a process of the engine that waits for work, and has loaded OpenCV meanwhile.

Theory of operation: a process takes a third of a second until it can take its first message, on one core.
The engine starts one as soon as it will be needed; the next job that needs one just like it takes it over.
After its job it waits for another one on the same inputs, such as the next segment of a video, so a process
never works for two users. One that nobody takes is ended after `IDLE_SECONDS`, and before another one starts.
The kernel ends a process in the sandbox with the thread that started it, so all are started in one thread
that lasts.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from queue import SimpleQueue

from facecli.core.errors import FacecliError
from facecli.core.video.frames import Picture, SandboxedProgram
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """The files that a process has worked on, and the picture that was read from the first."""

    face: Path
    version: tuple[int, int]  # of that file: time of change and size
    video: Path
    picture: Picture = field(compare=False)

    @classmethod
    def of(cls, face: Path, video: Path, read: Callable[[Path], Picture]) -> "Inputs":
        version = _version(face)
        return cls(face=face, version=version, video=video, picture=read(face))

    def are(self, face: Path, video: Path) -> bool:
        return (self.face, self.video) == (face, video) and self.version == _version(face)


def _version(path: Path) -> tuple[int, int]:
    stat = path.stat()
    return stat.st_mtime_ns, stat.st_size


class Spares:
    """Keeps at most one process. Safe to use from many threads."""

    def __init__(self, media: Media, *, idle_seconds: float = IDLE_SECONDS) -> None:
        self._media, self._idle_seconds = media, idle_seconds
        self._kept: _Spare | None = None
        self._lock = threading.Lock()
        self._starts: SimpleQueue[_Spare] | None = None

    def prepare(self, launch: Launch) -> None:
        """Start a process, unless a new one like it is kept already; another one is ended."""
        with self._lock:
            before = self._kept
            if before and before.launch == launch and before.inputs is None:
                return
            spare = _Spare(launch, self._media, after=before)
            self._keep(spare)
            self._start(spare)

    def inputs(self, face: Path, video: Path) -> Inputs | None:
        """The inputs of the process that is kept, if they are these files."""
        with self._lock:
            kept = self._kept.inputs if self._kept else None
        return kept if kept and kept.are(face, video) else None

    @contextmanager
    def program(
        self,
        launch: Launch,
        *,
        stopped: Callable[[], bool],
        inputs: Inputs | None = None,
        more: bool = False,
    ) -> Iterator[SandboxedProgram]:
        """The process that is kept, if it is new or worked on these inputs, else a new one.

        It is kept if `more` jobs on them are to come.
        """
        spare = self._take(launch, inputs)
        if (program := spare.taken(stopped)) is None:
            with launch.started(self._media, stopped=stopped) as program:
                yield program
            return
        try:
            yield program
        except BaseException:
            spare.end()
            raise
        if inputs is None or not more:
            spare.end()
            return
        spare.rest(inputs)
        with self._lock:
            before = self._kept
            self._keep(spare)
        if before:
            before.end()

    def _take(self, launch: Launch, inputs: Inputs | None) -> "_Spare":
        with self._lock:
            kept = self._kept
            if kept and kept.launch == launch and kept.inputs in (None, inputs):
                self._kept = None
                return kept
            spare = _Spare(launch, self._media)
            self._start(spare)
            return spare

    def _keep(self, spare: "_Spare") -> None:
        """With the lock."""
        self._kept = spare
        spare.expiry = timer = threading.Timer(self._idle_seconds, self._expire, [spare])
        timer.daemon = True
        timer.start()

    def _start(self, spare: "_Spare") -> None:
        """With the lock."""
        if self._starts is None:
            self._starts = SimpleQueue()
            threading.Thread(target=self._start_all, args=(self._starts,), daemon=True).start()
        self._starts.put(spare)

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
    def __init__(self, launch: Launch, media: Media, *, after: "_Spare | None" = None) -> None:
        """`after` is one that ends before this one starts."""
        self.launch, self._media, self._after = launch, media, after
        self.inputs: Inputs | None = None  # of its last job
        self._stopped: Callable[[], bool] = never
        self._stack = ExitStack()
        self._program: Future[SandboxedProgram | None] = Future()
        self.expiry: threading.Timer | None = None

    def start(self) -> None:
        """To be called once, in the thread that lasts."""
        program = None
        try:
            if self._after:
                self._after.end()
                self._after = None
            context = self.launch.started(self._media, stopped=lambda: self._stopped())
            program = self._stack.enter_context(context)
        except (FacecliError, OSError):  # the job that needs one will start it, and know why that fails
            pass
        finally:
            self._program.set_result(program)

    def taken(self, stopped: Callable[[], bool]) -> SandboxedProgram | None:
        """The running process, which now ends with `stopped`; None if it could not be started."""
        if self.expiry:
            self.expiry.cancel()
        self._stopped = stopped
        return self._program.result()

    def rest(self, inputs: Inputs) -> None:
        """Wait for more work on these."""
        self.inputs, self._stopped = inputs, never

    def end(self) -> None:
        self._program.result()
        self._stack.close()
