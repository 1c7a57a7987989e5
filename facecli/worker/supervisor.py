"""Supervisor: starts worker processes, detects their crashes, and restarts them with backoff.

Theory of operation. The standard input of a worker is a socket from the supervisor. The worker ends when it
is closed, so no worker outlives the supervisor, and sends a ping on it every `PING_INTERVAL`. A worker whose
pings stop is suspended or stuck: it is killed, because it may hold a lock of the database, which on SQLite
all processes share. The supervisor counts its own waits instead of comparing clocks, so no worker is killed
because the supervisor or the machine was suspended.
"""

import logging
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

from facecli.core.backoff import Backoff
from facecli.core.errors import FacecliError
from facecli.core.events import Event
from facecli.tasks.leases import MISSED_HEARTBEATS
from facecli.tasks.worker_end import UNRESPONSIVE, WorkerEnd, exited
from facecli.worker.events import MAX_LINE, EventReceiver
from facecli.worker.process import PING_INTERVAL

FIRST_DELAY = 0.25  # seconds
MAX_DELAY = 10.0  # seconds
MIN_UPTIME = 10.0  # seconds of uptime after which the backoff starts again

_log = logging.getLogger(__name__)


class _Child:
    """A worker process, with the supervisor's end of its standard input."""

    def __init__(
        self, process: subprocess.Popen[bytes], pings: socket.socket, publish: Callable[[Event], None]
    ) -> None:
        self.process = process
        self._pings = pings
        self._receiver = EventReceiver(publish)

    def wait(self, *, interval: float) -> bool:
        """Wait for the end of the process; False as soon as its pings, once begun, stop."""
        self._pings.settimeout(interval)
        missed: int | None = None
        while missed is None or missed < MISSED_HEARTBEATS:
            try:
                received = self._pings.recv(MAX_LINE)
                if not received:
                    break
                missed = 0
                self._receiver.feed(received)
            except TimeoutError:
                missed = missed if missed is None else missed + 1
            except OSError:  # the process ended before it read everything
                break
            if self.process.poll() is not None:
                break
        else:
            return False
        self.process.wait()
        self._receive_rest()
        return True

    def _receive_rest(self) -> None:
        """Receive what a process that has ended left in the socket."""
        self._pings.settimeout(0)
        with suppress(OSError):
            while received := self._pings.recv(MAX_LINE):
                self._receiver.feed(received)

    def tell(self, line: str) -> None:
        """Send a line; lost if the worker has ended or is suspended."""
        with suppress(OSError):
            self._pings.send(f"{line}\n".encode(), socket.MSG_DONTWAIT)

    def close(self) -> None:
        self._pings.close()


class Supervisor:
    """Keeps one child process per name alive from `start` to `stop`.

    `crashed` is called with the name and the end of a dead worker before its restart, so that its work is
    requeued first. `publish` gets the events that the workers send.
    """

    def __init__(
        self,
        *,
        names: Sequence[str],
        command: Callable[[str], list[str]],
        environment: Mapping[str, str],
        crashed: Callable[[str, WorkerEnd], None],
        publish: Callable[[Event], None] = lambda event: None,
        ping_interval: float = PING_INTERVAL,
    ) -> None:
        self._names = names
        self._command = command
        self._environment = environment
        self._crashed = crashed
        self._publish = publish
        self._ping_interval = ping_interval
        self._stopping = threading.Event()
        self._children: dict[str, _Child] = {}
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
            processes = [child.process for child in self._children.values()]
        return [process.pid for process in processes if process.poll() is None]

    def tell(self, line: str, *, environment: Mapping[str, str]) -> None:
        """Send a line to every worker; those that start later get the same by these variables."""
        with self._lock:
            self._environment = {**self._environment, **environment}
            for child in self._children.values():
                child.tell(line)

    def terminate(self) -> None:
        """Tell the workers to end, and return at once. Idempotent: a second signal would end them at once."""
        with self._lock:
            if self._stopping.is_set():
                return
            self._stopping.set()
            processes = [child.process for child in self._children.values()]
        for process in processes:
            process.terminate()

    def stop(self, grace: float) -> None:
        """Terminate the workers, and kill those that still run after `grace` seconds."""
        self.terminate()
        with self._lock:
            processes = [child.process for child in self._children.values()]
        deadline = time.monotonic() + grace
        for process in processes:
            try:
                process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
        for thread in self._threads:
            thread.join()

    def _supervise(self, name: str, child: _Child | None) -> None:
        backoff = Backoff(first=FIRST_DELAY, ceiling=MAX_DELAY)
        while child is not None or not self._stopping.is_set():
            started = time.monotonic()
            if child is not None:
                end = self._wait(name, child)
                if self._stopping.is_set():
                    return
                fields = {"worker": name, "pid": child.process.pid, "status": child.process.returncode}
                _log.warning("worker process exited; will be restarted", extra=fields)
                self._recover(name, end)
            if time.monotonic() - started > MIN_UPTIME:
                backoff.reset()
            else:
                self._stopping.wait(backoff.next())
            child = self._spawn(name)

    def _wait(self, name: str, child: _Child) -> WorkerEnd:
        """Wait for the end of a worker; kill it when it is suspended or stuck."""
        responsive = child.wait(interval=self._ping_interval)
        if not responsive:
            fields = {"worker": name, "pid": child.process.pid}
            _log.warning("worker process does not respond; will be killed", extra=fields)
            child.process.kill()
            child.process.wait()
        child.close()
        return exited(child.process.returncode) if responsive else UNRESPONSIVE

    def _recover(self, name: str, end: WorkerEnd) -> None:
        try:
            self._crashed(name, end)
        except FacecliError as error:
            fields = {"worker": name, "error": error.message}
            _log.warning("work of the worker was not recovered; it waits for the restart", extra=fields)
        except Exception:
            # A worker recovers the work of its predecessor, by name, when it starts.
            _log.exception("recovery of the worker's work failed", extra={"worker": name})

    def _spawn(self, name: str) -> _Child | None:
        """Start a worker process; None while stopping, or if the system cannot start one."""
        with self._lock:
            if self._stopping.is_set():
                return None
            try:
                self._children[name] = self._started(name)
            except OSError as error:
                fields = {"worker": name, "error": str(error)}
                _log.warning("worker process could not be started; will be retried", extra=fields)
                return None
            return self._children[name]

    def _started(self, name: str) -> _Child:
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                process = subprocess.Popen(
                    self._command(name),
                    stdin=theirs.fileno(),
                    env=dict(self._environment),
                    start_new_session=True,
                )
            except OSError:
                ours.close()
                raise
        return _Child(process, ours, self._publish)
