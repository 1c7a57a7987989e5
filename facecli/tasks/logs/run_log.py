"""RunLog: the log records of one run of a task, bounded in memory and stored in few transactions.

Theory of operation. Records are added from any thread, cost no I/O, and wait in memory: at most
`MAX_RECORDS`, the newest. The run stores them with its progress, at most once per `FLUSH_INTERVAL`, and
before every change that ends it: afterwards it is fenced off, and a watcher of the ended task may read the
log at once. Storing never fails a run. While the database is away or full the records wait for the next time,
and the oldest beyond the limit are dropped and counted. What is in memory when the process is killed is lost.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence

from facecli.core.errors import DiskFull, FacecliError, Unavailable
from facecli.core.printable import escaped, shortened
from facecli.tasks.logs.record import MAX_LEVEL, MAX_LOGGER, MAX_RECORDS, MAX_TEXT, LogEntry
from facecli.tasks.logs.redaction import redacted
from facecli.tasks.logs.repository import TaskLogRepository

FLUSH_INTERVAL = 1.0  # seconds between two transactions while the run goes on

_log = logging.getLogger(__name__)


class RunLog:
    """The records of the run with this fencing token. Safe to use from many threads; raises nothing.

    `directory` is a path that no record shows.
    """

    def __init__(
        self,
        repository: TaskLogRepository,
        task_id: str,
        *,
        run: str,
        directory: str = "",
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._repository = repository
        self._task_id = task_id
        self._run = run
        self._directory = directory
        self._clock = clock
        self._monotonic = monotonic
        self._waiting = deque[LogEntry]()
        self._dropped = 0
        self._lock = threading.Lock()  # of the two above, never held during I/O
        self._storing = threading.Lock()
        self._tried_at = monotonic()

    def add(self, *, level: str, logger: str, text: str) -> None:
        """Add a record, without paths and secrets, escaped and shortened."""
        entry = LogEntry(
            time=self._clock(),
            level=one_line(level.lower(), MAX_LEVEL),
            logger=one_line(logger, MAX_LOGGER),
            text=one_line(redacted(text, directory=self._directory)),
        )
        with self._lock:
            self._waiting.append(entry)
            self._shorten()

    def flush_if_due(self) -> None:
        """Store the records if `FLUSH_INTERVAL` has passed, and no other thread does it."""
        if not self._waiting or self._monotonic() - self._tried_at < FLUSH_INTERVAL:
            return
        if self._storing.acquire(blocking=False):
            try:
                self._store()
            finally:
                self._storing.release()

    def flush(self) -> None:
        """Store the records now."""
        with self._storing:
            self._store()

    def _store(self) -> None:
        self._tried_at = self._monotonic()
        with self._lock:
            entries, dropped = tuple(self._waiting), self._dropped
            self._waiting.clear()
            self._dropped = 0
        if not entries:
            return
        try:
            self._repository.append(self._task_id, entries, run=self._run, dropped=dropped)
        except FacecliError as error:
            fields = {"task": self._task_id, "records": len(entries), "error": error.message}
            _log.warning("log records of a task were not stored", extra=fields)
            waits = isinstance(error, Unavailable | DiskFull)
            self._put_back(entries if waits else (), dropped + (0 if waits else len(entries)))

    def _put_back(self, entries: Sequence[LogEntry], dropped: int) -> None:
        with self._lock:
            self._waiting.extendleft(reversed(entries))
            self._dropped += dropped
            self._shorten()

    def _shorten(self) -> None:
        while len(self._waiting) > MAX_RECORDS:
            self._waiting.popleft()
            self._dropped += 1


def one_line(text: str, limit: int = MAX_TEXT) -> str:
    """The text escaped and shortened, as a record stores it."""
    return shortened(escaped(shortened(text, limit)), limit)
