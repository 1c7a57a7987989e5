"""The life of a long-running process: until a signal, or the end of its parent."""

import os
import signal
import sys
import threading
from types import FrameType


class Ending:
    """Heeds, from its making on, SIGTERM and SIGINT; `with_stdin` also the end of standard input.

    Make it before anybody is told that this process works, or an early signal ends it without a farewell.
    """

    def __init__(self, *, with_stdin: bool) -> None:
        self._reader, self._writer = os.pipe()
        os.set_blocking(self._writer, False)
        # Written at once by whichever thread the signal reaches. A lock that the main thread waits for is no
        # way: its handler runs only when it wakes, and a signal that reached another thread does not wake it.
        signal.set_wakeup_fd(self._writer, warn_on_full_buffer=False)
        signal.signal(signal.SIGTERM, _heeded)
        signal.signal(signal.SIGINT, _heeded)
        if with_stdin:
            threading.Thread(target=self._until_eof, daemon=True).start()

    def wait(self) -> None:
        """Return when it is time to end."""
        os.read(self._reader, 1)

    def _until_eof(self) -> None:
        # Not through sys.stdin, whose lock this thread would still hold when the interpreter closes it.
        while os.read(sys.stdin.fileno(), 1):
            pass
        os.write(self._writer, b"\0")


def end_now() -> None:
    """End without another word. Whatever ran is taken up again by its name; its ffmpeg ends with us."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def _heeded(number: int, frame: FrameType | None) -> None:
    """Nothing more: what counts was written to the pipe."""
