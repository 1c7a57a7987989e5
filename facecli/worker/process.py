"""The life of a long-running process: until a signal, or the end of its parent."""

import logging
import os
import signal
import sys
import threading
from collections.abc import Callable
from types import FrameType

_log = logging.getLogger(__name__)


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


def end(farewell: Callable[[], object], *, grace: float) -> None:
    """Do what is to be done last, for `grace` seconds at most, then end without another word.

    What was not given back by then is found by its worker's silence. An ffmpeg that runs ends with us.
    """

    def said() -> None:
        try:
            farewell()
        except Exception as error:
            _log.warning("%s", error)

    last = threading.Thread(target=said, daemon=True)
    last.start()
    last.join(grace)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def _heeded(number: int, frame: FrameType | None) -> None:
    """Nothing more: what counts was written to the pipe."""
