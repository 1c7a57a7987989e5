"""Shutdown of a long-running process: by a signal, or by the end of its parent; and pings to that parent."""

import logging
import os
import signal
import socket
import stat
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from types import FrameType

from facecli.worker.events import EventSender

PING_INTERVAL = 1.0  # seconds

_log = logging.getLogger(__name__)


class ShutdownSignal:
    """Waits for SIGTERM or SIGINT and, `with_stdin`, for the end of standard input.

    Create it before the process announces that it is ready: an earlier signal kills it without cleanup.
    With a socket as standard input, it also sends a ping on it every `PING_INTERVAL`, to a supervisor that
    kills a process that is suspended or stuck; `supervisor` sends events there, and is None without a socket.
    """

    def __init__(self, *, with_stdin: bool) -> None:
        self._reader, self._writer = os.pipe()
        os.set_blocking(self._writer, False)
        # Python writes to the pipe immediately, in the thread that gets the signal. A lock would not work:
        # the handler runs when the main thread wakes, and a signal to another thread does not wake it.
        signal.set_wakeup_fd(self._writer, warn_on_full_buffer=False)
        signal.signal(signal.SIGTERM, _ignore)
        signal.signal(signal.SIGINT, _ignore)
        self.supervisor: EventSender | None = None
        if with_stdin:
            threading.Thread(target=self._read_stdin, daemon=True).start()
            if stat.S_ISSOCK(os.fstat(sys.stdin.fileno()).st_mode):
                self.supervisor = EventSender(socket.socket(fileno=os.dup(sys.stdin.fileno())))
                threading.Thread(target=_send_pings, args=(self.supervisor,), daemon=True).start()

    def wait(self) -> None:
        """Block until the process is to shut down."""
        os.read(self._reader, 1)

    def _read_stdin(self) -> None:
        # Bypass sys.stdin: this thread would still hold its lock when the interpreter closes it.
        with suppress(ConnectionError):  # the parent ended before it read every ping
            while os.read(sys.stdin.fileno(), 1):
                pass
        os.write(self._writer, b"\0")


def exit_process(cleanup: Callable[[], object], *, grace: float) -> None:
    """Run `cleanup` for at most `grace` seconds, then exit at once, even if other threads still run.

    Unreleased work is recovered when the lease expires. A running ffmpeg ends with this process.
    """

    def run() -> None:
        try:
            cleanup()
        except Exception as error:
            _log.warning("cleanup failed", extra={"error": str(error)})

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(grace)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def _send_pings(supervisor: EventSender) -> None:
    with suppress(ConnectionError):
        while True:
            supervisor.ping()
            time.sleep(PING_INTERVAL)


def _ignore(number: int, frame: FrameType | None) -> None:
    """Do nothing: the pipe carries the signal."""
