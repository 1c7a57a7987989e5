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
INTERRUPTED = 130  # exit code of a process that a second signal ended
MAX_ORDER = 100  # bytes of a line from the supervisor

_log = logging.getLogger(__name__)


class ShutdownSignal:
    """Waits for SIGTERM or SIGINT and, `with_stdin`, for the end of standard input.

    Create it before the process announces that it is ready: an earlier signal kills it without cleanup.
    With a socket as standard input, it also sends a ping on it every `PING_INTERVAL`, to a supervisor that
    kills a process that is suspended or stuck; `supervisor` sends events there, and is None without a socket.
    Lines that the supervisor sends are passed to `order`.

    SIGHUP calls `reload` in the thread that waits, unless the process has a terminal: there it says that the
    terminal is gone, and ends the process.
    """

    def __init__(
        self,
        *,
        with_stdin: bool,
        reload: Callable[[], object] | None = None,
        order: Callable[[str], object] = lambda line: None,
    ) -> None:
        self._reader, self._writer = os.pipe()
        os.set_blocking(self._writer, False)
        # Python writes to the pipe immediately, in the thread that gets the signal. A lock would not work:
        # the handler runs when the main thread wakes, and a signal to another thread does not wake it.
        signal.set_wakeup_fd(self._writer, warn_on_full_buffer=False)
        signal.signal(signal.SIGTERM, _ignore)
        signal.signal(signal.SIGINT, _ignore)
        self._reload, self._order = reload, order
        if reload and not _has_terminal():
            signal.signal(signal.SIGHUP, _ignore)
        self.supervisor: EventSender | None = None
        if with_stdin:
            threading.Thread(target=self._read_stdin, daemon=True).start()
            if stat.S_ISSOCK(os.fstat(sys.stdin.fileno()).st_mode):
                self.supervisor = EventSender(socket.socket(fileno=os.dup(sys.stdin.fileno())))
                threading.Thread(target=_send_pings, args=(self.supervisor,), daemon=True).start()

    def wait(self) -> None:
        """Block until the process is to shut down."""
        while os.read(self._reader, 1)[0] == signal.SIGHUP and self._reload:
            self._reload()

    def exit_on_next(self) -> None:
        """From now on such a signal ends the process at once, without cleanup."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, _exit)

    def _read_stdin(self) -> None:
        # Bypass sys.stdin: this thread would still hold its lock when the interpreter closes it.
        line = b""
        with suppress(ConnectionError):  # the parent ended before it read every ping
            while received := os.read(sys.stdin.fileno(), 1):
                if received != b"\n":
                    line = (line + received)[:MAX_ORDER]
                elif line:
                    self._order(line.decode(errors="replace"))
                    line = b""
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


def _has_terminal() -> bool:
    """Whether this process belongs to a terminal, whose end is a SIGHUP."""
    try:
        os.close(os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY))
    except OSError:
        return False
    return True


def _exit(number: int, frame: FrameType | None) -> None:
    os._exit(INTERRUPTED)


def _ignore(number: int, frame: FrameType | None) -> None:
    """Do nothing: the pipe carries the signal."""
