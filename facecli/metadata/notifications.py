"""How a process learns that another one changed tasks in a PostgreSQL."""

import time
from collections.abc import Callable

import psycopg

from facecli.metadata.changes import CHANNEL
from facecli.metadata.database_url import postgresql

LISTEN_FOR = 0.1  # seconds at a time
TRY_EVERY = 0.5  # seconds, when it cannot be listened


class Notifications:
    """Told by `notify`, heard on a connection of its own; while there is none, all may have changed."""

    def __init__(
        self, url: str, *, listen_for: float = LISTEN_FOR, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._url = postgresql(url)
        self._listen_for = listen_for
        self._sleep = sleep
        self._connection: psycopg.Connection | None = None

    def wait(self) -> bool:
        try:
            if self._connection is None:
                self._connection = psycopg.connect(self._url, autocommit=True)
                self._connection.execute(f"LISTEN {CHANNEL}")
                return True
            return any(self._connection.notifies(timeout=self._listen_for, stop_after=1))
        except psycopg.Error:
            self.close()
            self._sleep(TRY_EVERY)
            return True

    def close(self) -> None:
        if self._connection:
            self._connection.close()
        self._connection = None
