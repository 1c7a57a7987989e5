"""Child processes of a bench: each side of a transfer has its own, so that its usage can be measured."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing import get_context, resource_tracker
from multiprocessing.connection import Connection as Pipe
from types import TracebackType
from typing import Any, Self, TypeVar

from facecli.core.errors import FacecliError

T = TypeVar("T")
EXIT_TIMEOUT = 10.0  # seconds

# Spawned, not forked: gRPC's threads do not survive a fork, and the memory would be shared.
_CONTEXT = get_context("spawn")


class BenchProcess:
    """A child process that runs `work(pipe, *arguments)` inside `with`, and the pipe to it.

    `work` must return when the pipe closes. With `kill` it is killed instead, because it has nothing to clean
    up.
    """

    def __init__(self, work: Callable[..., None], *arguments: object, kill: bool = False) -> None:
        self._kill = kill
        self.pipe, self._child_pipe = _CONTEXT.Pipe()
        self._process = _CONTEXT.Process(target=_run, args=(self._child_pipe, work, *arguments), daemon=True)

    def send(self, message: object) -> None:
        with suppress(BrokenPipeError):  # `receive` raises the cause
            self.pipe.send(message)

    def receive(self, *kinds: type[T]) -> T:
        """The next message, of one of these types; raises the error that ended the process."""
        try:
            message = self.pipe.recv()
        except (EOFError, ConnectionResetError):
            self._process.join(EXIT_TIMEOUT)
            raise FacecliError(f"a bench process died with exit code {self._process.exitcode}") from None
        if isinstance(message, FacecliError):
            raise message
        assert isinstance(message, kinds)
        return message

    def __enter__(self) -> Self:
        try:
            with _no_interrupt():
                self._process.start()
            self._child_pipe.close()
        except BaseException:  # Ctrl-C arrives as soon as it is unblocked
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
            self._process.join(EXIT_TIMEOUT)
        self._process.kill()
        self._process.join()


def _run(pipe: "Pipe[Any, Any]", work: Callable[..., None], *arguments: object) -> None:
    # The pipe closes when the parent exits, and that ends the work.
    with suppress(EOFError, BrokenPipeError, ConnectionResetError):
        try:
            work(pipe, *arguments)
        except FacecliError as error:
            pipe.send(error)


@contextmanager
def _no_interrupt() -> Iterator[None]:
    """Start processes with SIGINT blocked: a terminal sends Ctrl-C to all of them, and only we handle it."""
    resource_tracker.ensure_running()  # otherwise started with the first process, unblocking SIGINT
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
