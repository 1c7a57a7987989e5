"""Ctrl-C: the first one ends a command with a sentence about what goes on, the second one ends it at once."""

import os
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

from facecli.core.errors import Cancelled

INTERRUPTED = 130
NAMED = 10  # IDs that a hint names at most
_STORED = "interrupted; the server keeps the data it has stored"
_RESUME = "run the same command again to resume"
_RESUMABLE = {("upload",), ("swap",), ("preview",), ("task", "create"), ("batch", "run")}
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
    raise KeyboardInterrupt


def _second(number: int, frame: FrameType | None) -> None:
    if os.isatty(2):
        os.write(2, _SHOW_CURSOR)  # bars hide it
    os._exit(INTERRUPTED)
