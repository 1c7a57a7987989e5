"""Processes of their own, so that what each side of a transfer uses is its own."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing import get_context, resource_tracker
from multiprocessing.connection import Connection as Pipe
from types import TracebackType
from typing import Any, Self, TypeVar

from facecli.core.errors import FacecliError

T = TypeVar("T")
FAREWELL = 10.0  # seconds that a process gets to end by itself

# Not forked: gRPC's threads do not survive it, and memory would be shared with us.
_CONTEXT = get_context("spawn")


class Side:
    """A process that runs `work(pipe, *arguments)` from `with` on, and the pipe to it.

    When the pipe ends it is to end. With `kill` it is not asked: it has nothing to put away.
    """

    def __init__(self, work: Callable[..., None], *arguments: object, kill: bool = False) -> None:
        self._kill = kill
        self.pipe, self._theirs = _CONTEXT.Pipe()
        self._process = _CONTEXT.Process(target=_run, args=(self._theirs, work, *arguments), daemon=True)

    def tell(self, message: object) -> None:
        with suppress(BrokenPipeError):  # `hear` knows more
            self.pipe.send(message)

    def hear(self, *kinds: type[T]) -> T:
        """The next message, of one of these types. Raises the error that ended the process."""
        try:
            said = self.pipe.recv()
        except (EOFError, ConnectionResetError):
            self._process.join(FAREWELL)
            raise FacecliError(f"a process of the bench died, exit code {self._process.exitcode}") from None
        if isinstance(said, FacecliError):
            raise said
        assert isinstance(said, kinds)
        return said

    def __enter__(self) -> Self:
        try:
            with _no_interrupt():
                self._process.start()
            self._theirs.close()
        except BaseException:  # Ctrl-C comes when it is let in again
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def _end(self) -> None:
        self.pipe.close()
        if self._process.pid is None:
            return
        if not self._kill:
            self._process.join(FAREWELL)
        self._process.kill()
        self._process.join()


def _run(pipe: "Pipe[Any, Any]", work: Callable[..., None], *arguments: object) -> None:
    # The pipe ends with our parent, and with it the work.
    with suppress(EOFError, BrokenPipeError, ConnectionResetError):
        try:
            work(pipe, *arguments)
        except FacecliError as error:
            pipe.send(error)


@contextmanager
def _no_interrupt() -> Iterator[None]:
    """What is started meanwhile never hears of Ctrl-C, which a terminal sends to every process it shows."""
    resource_tracker.ensure_running()  # started with the first process, it would let SIGINT in again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
