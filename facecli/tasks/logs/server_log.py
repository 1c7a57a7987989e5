"""ServerLog: records about a task that the server adds to its log, since its worker cannot."""

import logging
import time
from collections.abc import Callable

from facecli.core.errors import FacecliError
from facecli.tasks.logs.record import LogEntry
from facecli.tasks.logs.redaction import redacted
from facecli.tasks.logs.repository import TaskLogRepository
from facecli.tasks.logs.run_log import one_line

LOGGER = "facecli.server"  # shown as the logger of these records

_log = logging.getLogger(__name__)


class ServerLog:
    """Stores one record at a time. Raises nothing: a log must not cost a recovery."""

    def __init__(self, repository: TaskLogRepository, *, clock: Callable[[], float] = time.time) -> None:
        self._repository = repository
        self._clock = clock

    def add(self, task_id: str, text: str, *, level: str) -> None:
        """Store a record; unlike one of a run, it needs no hold on the task."""
        entry = LogEntry(time=self._clock(), level=level, logger=LOGGER, text=one_line(redacted(text)))
        try:
            self._repository.append(task_id, [entry], run=None, dropped=0)
        except FacecliError as error:
            fields = {"task": task_id, "error": error.message}
            _log.warning("log record of a task was not stored", extra=fields)
