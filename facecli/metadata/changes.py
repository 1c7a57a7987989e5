"""How a process learns that another one wrote."""

import sqlite3
import time
from collections.abc import Callable
from typing import Protocol

from sqlalchemy import Connection, text

CHANNEL = "facecli_tasks"
LOOK_EVERY = 0.02  # seconds; a look takes some 10 µs


def notify(connection: Connection) -> None:
    """Tell who listens on PostgreSQL, when and if this transaction is committed."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_notify(:channel, '')"), {"channel": CHANNEL})


class Changes(Protocol):
    """Used by one thread at a time, from the first `wait` to `close`."""

    def wait(self) -> bool:
        """After a moment, or at once: whether something may have been written since the last time."""
        ...

    def close(self) -> None: ...


class FileChanges:
    """Of an SQLite file: asks its version, which costs next to nothing, instead of its rows."""

    def __init__(
        self, path: str, *, every: float = LOOK_EVERY, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._path = path
        self._every = every
        self._sleep = sleep
        self._connection: sqlite3.Connection | None = None
        self._seen: int | None = None

    def wait(self) -> bool:
        self._sleep(self._every)
        version = self._version()
        changed = version is None or version != self._seen
        self._seen = version
        return changed

    def close(self) -> None:
        if self._connection:
            self._connection.close()
        self._connection = self._seen = None

    def _version(self) -> int | None:
        """Another number after every commit of another connection; None when it cannot be told."""
        try:
            self._connection = self._connection or sqlite3.connect(self._path, isolation_level=None)
            (version,) = self._connection.execute("PRAGMA data_version").fetchone()
        except sqlite3.Error:
            self.close()
            return None
        return int(version)
