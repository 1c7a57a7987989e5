"""Cheaper polls of the queues of DBOS.

Theory of operation. For each poll of a queue DBOS reads its configuration and builds the statements that
would take work, five times a second for each engine, which is most of what an idle worker does. Here a poll
first asks by one statement whether work waits, and keeps the configuration for a while.
"""

import time
from collections.abc import Callable

from dbos._queue import Queue
from dbos._sys_db import SystemDatabase

from facecli.queue.client import SCHEMA

CONFIGURATION_SECONDS = 1.0  # for which the configuration of a queue is kept

# The second condition is literally that of an index, without which SQLite does not use it.
_WAITING = (
    "SELECT 1 FROM {schema}workflow_status WHERE queue_name = {mark} AND status = 'ENQUEUED' "
    "AND status IN ('ENQUEUED', 'PENDING') LIMIT 1"
)


class Polls:
    """Cheaper versions of two private methods of DBOS. tests/unit/queue holds that DBOS calls them."""

    def __init__(self, database: SystemDatabase, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._database = database
        self._engine = database.engine
        self._get_queue = database.get_queue
        self._clock = clock
        self._queues: dict[str, tuple[float, Queue | None]] = {}  # and when each was read
        sqlite = self._engine.dialect.name == "sqlite"
        self._waiting = _WAITING.format(schema="" if sqlite else f"{SCHEMA}.", mark="?" if sqlite else "%s")

    def install(self) -> None:
        """Replace the methods of this database, which the threads of DBOS look up for every poll."""
        self._database.dequeue_scopes = self.scopes  # type: ignore[method-assign,assignment]
        self._database.get_queue = self.queue  # type: ignore[method-assign,assignment]

    def scopes(self, name: str) -> list[str | None]:
        """The parts of a queue from which DBOS takes work: all of it if any waits."""
        with self._engine.connect() as connection:
            return [None] if connection.exec_driver_sql(self._waiting, (name,)).first() else []

    def queue(self, name: str) -> Queue | None:
        """The configuration of a queue, read at most once in `CONFIGURATION_SECONDS`."""
        now = self._clock()
        read_at, queue = self._queues.get(name, (now - CONFIGURATION_SECONDS, None))
        if now - read_at >= CONFIGURATION_SECONDS:
            queue = self._get_queue(name)
            self._queues[name] = now, queue
        return queue
