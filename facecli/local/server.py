"""A server on this machine that runs as long as a command uses it.

The first command starts it, others share it, and the last one waits for its end. When the server is killed,
one of the commands starts it again at the same address, so their retries find it. directory.py explains the
locks.
"""

import fcntl
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

from facecli.config.access import standalone
from facecli.config.child_environment import child_environment
from facecli.config.settings import Settings
from facecli.core.backoff import Backoff
from facecli.core.errors import FacecliError, Unavailable
from facecli.local.directory import LocalDirectory, State, decoded, locked, read_state, try_lock

POLL_INTERVAL = 0.05  # seconds between two looks at a server that another command starts
EXIT_TIMEOUT = 15.0  # seconds that the last command waits for the end of the server
MAX_RESTARTS = 5
FIRST_DELAY, MAX_DELAY = 0.1, 2.0  # seconds between two restarts


class LocalServer:
    """A server with its data in `path`, shared by all processes that name this path. Use it in `with`.

    `settings` are those of the server, except for what makes it private: it listens on a loopback address
    only. `address` is HOST:PORT.
    """

    def __init__(self, path: Path, settings: Settings) -> None:
        self._directory = LocalDirectory(path)
        private = replace(standalone(settings), data_dir=str(self._directory.data.absolute()))
        self._environment: Mapping[str, str] = child_environment(private)
        self._closing = threading.Event()
        self._watch = threading.Thread(target=self._restart_when_killed, name="local-server", daemon=True)
        self.address = ""
        self.started = False  # whether this process started it

    def __enter__(self) -> Self:
        self._directory.create()
        self._commands = self._directory.open(self._directory.commands)
        try:
            # Waits for the end of a server that is shutting down.
            fcntl.flock(self._commands, fcntl.LOCK_SH)
            self.address = self._find_or_start()
        except BaseException:
            os.close(self._commands)
            raise
        self._watch.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.set()
        try:
            if self._is_last():
                self._terminate()
                self._watch.join(EXIT_TIMEOUT)
        finally:
            os.close(self._commands)

    def _is_last(self) -> bool:
        """Whether no other command uses the server; then none can begin to until the lock is released."""
        if try_lock(self._commands):
            return True
        with suppress(BlockingIOError):
            fcntl.flock(self._commands, fcntl.LOCK_SH | fcntl.LOCK_NB)
            return False
        return True  # the server has the lock: it is ending already

    def _terminate(self) -> None:
        """Ask the server to end; only if one holds the lock is the process ID its own."""
        lock = self._directory.open(self._directory.server)
        try:
            state = None if try_lock(lock) else read_state(self._directory.server)
            if state and state.pid:
                with suppress(ProcessLookupError):
                    os.kill(state.pid, signal.SIGTERM)
        finally:
            os.close(lock)

    def _find_or_start(self) -> str:
        """The address of the server that runs, once it listens; start one if there is none."""
        while True:
            with locked(self._directory.open(self._directory.start)):
                lock = self._directory.open(self._directory.server)
                is_free = try_lock(lock)
                if is_free:
                    process = self._spawn(lock)
            os.close(lock)
            if is_free:
                self.started = True
                return self._listening(process)
            state = read_state(self._directory.server)
            if state and state.error:
                raise state.error
            if state and state.address:
                return state.address
            time.sleep(POLL_INTERVAL)

    def _restart_when_killed(self) -> None:
        """Start the server again when it has ended although this command uses it."""
        backoff = Backoff(first=FIRST_DELAY, ceiling=MAX_DELAY)
        for _ in range(MAX_RESTARTS + 1):
            lock = self._directory.open(self._directory.server)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX)  # until the server has ended
                if self._closing.is_set():
                    return
                process = self._spawn(lock)
            except (OSError, FacecliError):
                return  # the command's own retries will report it
            finally:
                os.close(lock)
            with suppress(FacecliError):
                self._listening(process)
            self._closing.wait(backoff.next())

    def _spawn(self, lock: int) -> "subprocess.Popen[bytes]":
        """Start a server process, which keeps the lock, at the same address as before if there was one."""
        os.ftruncate(lock, 0)
        environment = {**self._environment, **({"FACECLI_BIND": self.address} if self.address else {})}
        log = self._directory.open_log()
        try:
            return subprocess.Popen(
                [sys.executable, "-P", "-m", "facecli.local.process", str(self._directory.path), str(lock)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                env=environment,
                pass_fds=[lock],
                start_new_session=True,  # Ctrl-C in the terminal is for the command
            )
        finally:
            os.close(log)

    def _listening(self, process: "subprocess.Popen[bytes]") -> str:
        """The address of a server that this process started, once it listens; its error if it does not."""
        assert process.stdout
        try:
            with process.stdout:
                state = decoded(process.stdout.readline()) or State(error=self._unexplained())
        finally:
            # It is nobody's child from now on: it may outlive this command, and ends with the last one.
            threading.Thread(target=process.wait, daemon=True).start()
        if state.error:
            raise state.error
        return state.address

    def _unexplained(self) -> FacecliError:
        return Unavailable(
            "the server for this command ended before it was ready", hint=f"see {self._directory.log}"
        )
