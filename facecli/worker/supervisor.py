"""Starts workers, knows at once when one dies, and starts it again."""

import logging
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence

from facecli.core.errors import FacecliError

_log = logging.getLogger(__name__)

SETTLED = 10.0  # seconds after which a death no longer counts as one of a row
LONGEST_PAUSE = 10.0


class Supervisor:
    """Keeps one child process per name alive from `start` to `stop`.

    `died` is called with the name of a dead worker before it is started again, so that its work is free.
    A worker holds the other end of its standard input: it ends when the supervisor's process does.
    """

    def __init__(
        self,
        *,
        names: Sequence[str],
        command: Callable[[str], list[str]],
        environment: Mapping[str, str],
        died: Callable[[str], None],
    ) -> None:
        self._names = names
        self._command = command
        self._environment = environment
        self._died = died
        self._stopping = threading.Event()
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        for name in self._names:
            child = self._spawn(name)
            thread = threading.Thread(target=self._watch, args=(name, child), name=f"watch {name}")
            thread.start()
            self._threads.append(thread)

    def pids(self) -> list[int]:
        """Of the workers that run now."""
        with self._lock:
            return [child.pid for child in self._children.values() if child.poll() is None]

    def stop(self, grace: float) -> None:
        """Ask the workers to end, kill who has not after `grace` seconds."""
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

    def _watch(self, name: str, child: subprocess.Popen[bytes] | None) -> None:
        pause = 0.0
        while child is not None or not self._stopping.is_set():
            started = time.monotonic()
            if child is not None:
                status = child.wait()
                if child.stdin:
                    child.stdin.close()
                if self._stopping.is_set():
                    return
                _log.warning("%s (pid %d) died with status %d", name, child.pid, status)
                self._release(name)
            pause = 0.0 if time.monotonic() - started > SETTLED else min(LONGEST_PAUSE, pause * 2 + 0.25)
            self._stopping.wait(pause)
            child = self._spawn(name)

    def _release(self, name: str) -> None:
        try:
            self._died(name)
        except FacecliError as error:
            _log.warning("the work of %s waits until it is started again: %s", name, error)
        except Exception:
            # The worker takes its own work up again by its name; better later than not at all.
            _log.exception("the work of %s could not be released", name)

    def _spawn(self, name: str) -> subprocess.Popen[bytes] | None:
        """None when we are stopping, and when the system has no process, memory or file left for it."""
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
                _log.warning("%s could not be started, and is tried again: %s", name, error)
                return None
            self._children[name] = child
            return child
