"""Change detection on PostgreSQL, by LISTEN and NOTIFY."""

import time
from collections.abc import Callable

import psycopg

from facecli.metadata.changes import CHANNEL
from facecli.metadata.database_url import postgresql_url

LISTEN_TIMEOUT = 0.1  # seconds
RECONNECT_DELAY = 0.5  # seconds


class Notifications:
    """Changes by NOTIFY, on a separate connection; without one, every `wait` reports a change."""

    def __init__(
        self, url: str, *, timeout: float = LISTEN_TIMEOUT, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._url = postgresql_url(url)
        self._timeout = timeout
        self._sleep = sleep
        self._connection: psycopg.Connection | None = None

    def wait(self) -> bool:
        try:
            if self._connection is None:
                self._connection = psycopg.connect(self._url, autocommit=True)
                self._connection.execute(f"LISTEN {CHANNEL}")
                return True
            return any(self._connection.notifies(timeout=self._timeout, stop_after=1))
        except psycopg.Error:
            self.close()
            self._sleep(RECONNECT_DELAY)
            return True

    def close(self) -> None:
        if self._connection:
            self._connection.close()
        self._connection = None
