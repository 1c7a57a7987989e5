"""Supervisor: starts worker processes, detects their crashes, and restarts them with backoff."""

import logging
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence

from facecli.core.backoff import Backoff
from facecli.core.errors import FacecliError

FIRST_DELAY = 0.25  # seconds
MAX_DELAY = 10.0  # seconds
MIN_UPTIME = 10.0  # seconds of uptime after which the backoff starts again

_log = logging.getLogger(__name__)


class Supervisor:
    """Keeps one child process per name alive from `start` to `stop`.

    `crashed` is called with the name of a dead worker before its restart, so that its work is requeued first.
    Each worker's standard input is a pipe from the supervisor, so workers end when this process does.
    """

    def __init__(
        self,
        *,
        names: Sequence[str],
        command: Callable[[str], list[str]],
        environment: Mapping[str, str],
        crashed: Callable[[str], None],
    ) -> None:
        self._names = names
        self._command = command
        self._environment = environment
        self._crashed = crashed
        self._stopping = threading.Event()
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        for name in self._names:
            child = self._spawn(name)
            thread = threading.Thread(target=self._supervise, args=(name, child), name=f"supervise {name}")
            thread.start()
            self._threads.append(thread)

    def pids(self) -> list[int]:
        """The process ids of the running workers."""
        with self._lock:
            return [child.pid for child in self._children.values() if child.poll() is None]

    def stop(self, grace: float) -> None:
        """Terminate the workers, and kill those that still run after `grace` seconds."""
        with self._lock:
            self._stopping.set()
            children = list(self._children.values())
        for child in children:
            child.terminate()
        deadline = time.monotonic() + grace
        for child in children:
            try:
                child.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                child.kill()
        for thread in self._threads:
            thread.join()

    def _supervise(self, name: str, child: subprocess.Popen[bytes] | None) -> None:
        backoff = Backoff(first=FIRST_DELAY, ceiling=MAX_DELAY)
        while child is not None or not self._stopping.is_set():
            started = time.monotonic()
            if child is not None:
                status = child.wait()
                if child.stdin:
                    child.stdin.close()
                if self._stopping.is_set():
                    return
                fields = {"worker": name, "pid": child.pid, "status": status}
                _log.warning("worker process exited; will be restarted", extra=fields)
                self._recover(name)
            if time.monotonic() - started > MIN_UPTIME:
                backoff.reset()
            else:
                self._stopping.wait(backoff.next())
            child = self._spawn(name)

    def _recover(self, name: str) -> None:
        try:
            self._crashed(name)
        except FacecliError as error:
            fields = {"worker": name, "error": error.message}
            _log.warning("work of the worker was not recovered; it waits for the restart", extra=fields)
        except Exception:
            # A worker recovers the work of its predecessor, by name, when it starts.
            _log.exception("recovery of the worker's work failed", extra={"worker": name})

    def _spawn(self, name: str) -> subprocess.Popen[bytes] | None:
        """Start a worker process; None while stopping, or if the system cannot start one."""
        with self._lock:
            if self._stopping.is_set():
                return None
            try:
                child = subprocess.Popen(
                    self._command(name),
                    stdin=subprocess.PIPE,
                    env=dict(self._environment),
                    start_new_session=True,
                )
            except OSError as error:
                fields = {"worker": name, "error": str(error)}
                _log.warning("worker process could not be started; will be retried", extra=fields)
                return None
            self._children[name] = child
            return child
