"""Ctrl-C: the first one ends a command with a sentence about what goes on, the second one ends it at once.

Theory of operation. Python raises KeyboardInterrupt in the main thread between any two instructions. In the
methods by which a `threading.Condition` takes and releases its lock it leaves the lock taken, and where gRPC
starts an operation it leaves a call that never ends; closing the connection waits for both. So the exception
waits until the main thread has left such code, which takes microseconds. Waiting can be interrupted.
"""

import os
import signal
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from types import FrameType, FunctionType

from facecli.core.errors import Cancelled

INTERRUPTED = 130
NAMED = 10  # IDs that a hint names at most
_STORED = "interrupted; the server keeps the data it has stored"
_RESUME = "run the same command again to resume"
_RESUMABLE = {("upload",), ("swap",), ("preview",), ("task", "create"), ("batch", "run")}
_RAISE_INTERVAL = 0.001  # seconds between two attempts to raise KeyboardInterrupt
_RAISE_WITHIN = 0.05  # seconds, after which it is raised anywhere: the code waits for something
_CONDITION_METHODS = {
    function.__code__
    for function in vars(threading.Condition).values()
    if isinstance(function, FunctionType) and function.__name__ not in {"wait", "wait_for"}
}
_SHOW_CURSOR = b"\x1b[?25h\n"


@dataclass(slots=True)
class Interruption:
    """The words for Ctrl-C at this moment of a command."""

    message: str = _STORED
    hint: str = _RESUME

    def tasks_continue(self, ids: Sequence[str], *, flags: str, again: str = "") -> None:
        """From now on tasks run without the command. `flags` are its connection options."""
        ids = list(dict.fromkeys(ids))
        if not ids:
            self.message, self.hint = "interrupted", ""
            return
        names = " ".join(ids) if len(ids) <= NAMED else "ID…"
        subject = f"task {names} continues" if len(ids) == 1 else f"{len(ids)} tasks continue"
        self.message = f"interrupted; {subject} on the server"
        again = again or f"facecli task watch {names}{flags} watches again"
        self.hint = f"{again}; facecli task cancel {names}{flags} cancels"


@contextmanager
def interruptible(message: str = _STORED, hint: str = _RESUME) -> Iterator[Interruption]:
    """End the command with these words on Ctrl-C; what is yielded changes them."""
    interruption = Interruption(message, hint)
    try:
        yield interruption
    except KeyboardInterrupt:
        raise Cancelled(interruption.message, hint=interruption.hint) from None


def default_interruption(arguments: Sequence[str]) -> Cancelled:
    """The error for Ctrl-C outside `interruptible`, by the command on the command line."""
    resumable = {tuple(arguments[:1]), tuple(arguments[:2])} & _RESUMABLE
    return Cancelled(_STORED, hint=_RESUME) if resumable else Cancelled("interrupted", hint="")


def handle_interrupts() -> None:
    """Raise KeyboardInterrupt on the first Ctrl-C; exit at once on the second, even during cleanup."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # not in the background of a shell
        signal.signal(signal.SIGINT, _first)


def exit_on_interrupt() -> None:
    """Exit at once on the next Ctrl-C."""
    signal.signal(signal.SIGINT, _second)


def _first(number: int, frame: FrameType | None) -> None:
    exit_on_interrupt()
    threading.excepthook = lambda failure: None  # gRPC's threads may fail while connections close under them
    _raise_when_safe(time.monotonic() + _RAISE_WITHIN, signal.SIGINT, frame)


def _raise_when_safe(deadline: float, number: int, frame: FrameType | None) -> None:
    if frame and _must_not_be_interrupted(frame) and time.monotonic() < deadline:
        signal.signal(signal.SIGALRM, partial(_raise_when_safe, deadline))
        signal.setitimer(signal.ITIMER_REAL, _RAISE_INTERVAL)
        return
    raise KeyboardInterrupt


def _must_not_be_interrupted(frame: FrameType) -> bool:
    """Whether the frame takes or releases the lock of a condition, or is gRPC's, and is not waiting."""
    if frame.f_code is threading.Condition.wait.__code__:
        return "gotit" not in frame.f_locals  # assigned where an exception takes the lock again
    return frame.f_code in _CONDITION_METHODS or frame.f_globals.get("__name__", "").startswith("grpc.")


def _second(number: int, frame: FrameType | None) -> None:
    if os.isatty(2):
        os.write(2, _SHOW_CURSOR)  # bars hide it
    os._exit(INTERRUPTED)
