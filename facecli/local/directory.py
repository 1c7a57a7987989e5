"""The directory of a local server: its locks, its state, its log and its data.

Theory of operation. All locks are flocks, which the kernel releases when a process ends, however it ends.
`commands.lock` is shared by the commands that use the server; the server waits for it exclusively, so it gets
it when the last of them has ended, and keeps it until its own end: a new command waits for that.
`server.lock` is held by the server from before its start until its end, because the command that starts it
takes the lock and leaves it to the server. Its content is the server's state: a JSON object with its address,
or with the error that kept it from starting. `start.lock` makes taking it and emptying it one step, so that
nobody reads the state of an earlier server.
"""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from facecli.core.errors import FacecliError, InvalidInput

MAX_STATE = 10_000  # bytes
MAX_LOG = 1_000_000  # bytes, from which a new server begins a new log


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """A server that is starting, listens at `address`, or ended with `error`."""

    address: str = ""
    pid: int = 0
    error: FacecliError | None = None


class LocalDirectory:
    """The files of a local server."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.data = path / "data"
        self.log = path / "server.log"
        self.commands = path / "commands.lock"
        self.server = path / "server.lock"
        self.start = path / "start.lock"

    def create(self) -> None:
        """Create the directory; InvalidInput if that is not possible."""
        with self._explained():
            self.path.mkdir(parents=True, exist_ok=True, mode=0o700)

    def open(self, file: Path) -> int:
        """Open a lock file; the lock ends with the descriptor."""
        with self._explained():
            return os.open(file, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)

    def open_log(self) -> int:
        """Open the log for a new server, which appends to it unless it has become long."""
        with self._explained():
            descriptor = os.open(self.log, os.O_CREAT | os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC, 0o600)
            if os.fstat(descriptor).st_size > MAX_LOG:
                os.ftruncate(descriptor, 0)
            return descriptor

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise InvalidInput(
                f"no server runs, and none can be started for this command: {self.path}: {error.strerror}",
                hint="start one with facecli serve --data-dir DIR, or name one with --server",
            ) from error


@contextmanager
def locked(descriptor: int) -> Iterator[None]:
    """Hold an exclusive lock for a moment, and close the descriptor."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def try_lock(descriptor: int) -> bool:
    """Take an exclusive lock unless another process has it, or a shared one."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def encoded(state: State) -> bytes:
    """A state as a line of JSON."""
    value: dict[str, Any] = {"address": state.address, "pid": state.pid}
    if error := state.error:
        value = {"reason": error.reason, "message": error.message, "hint": error.hint}
    return json.dumps(value).encode() + b"\n"


def decoded(line: bytes) -> State | None:
    """The state that the line says; None if it is not complete yet."""
    try:
        value = json.loads(line)
    except ValueError:
        return None
    if "reason" not in value:
        return State(address=value["address"], pid=value["pid"])
    kinds = {kind.reason: kind for kind in _subclasses(FacecliError)}
    kind = kinds.get(value["reason"], FacecliError)
    return State(error=kind(value["message"], hint=value["hint"]))


def read_state(file: Path) -> State | None:
    """The state of the server that holds the lock; None while it starts."""
    with file.open("rb") as state:
        return decoded(state.read(MAX_STATE))


def _subclasses(kind: type[FacecliError]) -> Iterator[type[FacecliError]]:
    yield kind
    for each in kind.__subclasses__():
        yield from _subclasses(each)
