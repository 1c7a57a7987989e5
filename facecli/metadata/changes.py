"""Change detection: signals that another process has written to the database."""

import sqlite3
import time
from collections.abc import Callable
from typing import Protocol

from sqlalchemy import ColumnElement, Engine, func

CHANNEL = "facecli_tasks"
POLL_INTERVAL = 0.02  # seconds; a poll takes about 10 µs


def notification(engine: Engine) -> tuple[ColumnElement[object], ...]:
    """An expression for RETURNING that notifies the listeners of PostgreSQL; none on SQLite."""
    return (func.pg_notify(CHANNEL, ""),) if engine.dialect.name == "postgresql" else ()


class Changes(Protocol):
    """A signal that rows have possibly changed. One thread at a time uses it, from `wait` to `close`."""

    def wait(self) -> bool:
        """Wait briefly; return whether rows have possibly changed since the last call."""
        ...

    def close(self) -> None: ...


class FileChanges:
    """Changes of an SQLite file, by polling its `data_version`: far cheaper than polling rows."""

    def __init__(
        self, path: str, *, interval: float = POLL_INTERVAL, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._path = path
        self._interval = interval
        self._sleep = sleep
        self._connection: sqlite3.Connection | None = None
        self._last_version: int | None = None

    def wait(self) -> bool:
        self._sleep(self._interval)
        version = self._version()
        changed = version is None or version != self._last_version
        self._last_version = version
        return changed

    def close(self) -> None:
        if self._connection:
            self._connection.close()
        self._connection = self._last_version = None

    def _version(self) -> int | None:
        """A number that changes with every commit of another connection; None if it cannot be read."""
        try:
            self._connection = self._connection or sqlite3.connect(self._path, isolation_level=None)
            (version,) = self._connection.execute("PRAGMA data_version").fetchone()
        except sqlite3.Error:
            self.close()
            return None
        return int(version)
