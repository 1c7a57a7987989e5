"""TaskLogHandler: collects what the process logs while it runs a task.

The log of a worker is the administrator's, and the log of a task is its owner's. A record of facecli belongs
to the task if the thread of the run wrote it: other threads send heartbeats and recover the tasks of other
users. A record of any other logger is taken for the engine's, from whatever thread, except those of the
database and the queue.
"""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from facecli.tasks.logs.exceptions import summary
from facecli.tasks.logs.run_log import RunLog
from facecli.telemetry.logs import fields_of, fit_level, plain, replacement

_EXCLUDED = frozenset({"dbos", "sqlalchemy", "alembic", "psycopg"})
_OF_THE_SERVER = frozenset(
    {"task", "run", "worker", "pid", "request"}
)  # fields that only the administrator needs
_ABOUT_LOGS = "facecli.tasks.logs"


class TaskLogHandler(logging.Handler):
    """Adds the records of the task that this thread runs to its log. It does no I/O and raises nothing."""

    def __init__(self, log: RunLog) -> None:
        super().__init__(logging.INFO)
        self._log = log
        self._thread = threading.get_ident()

    def filter(self, record: logging.LogRecord) -> bool:
        package = record.name.partition(".")[0]
        if package in _EXCLUDED or record.name.startswith(_ABOUT_LOGS):
            return False
        return package != "facecli" or record.thread == self._thread

    def emit(self, record: logging.LogRecord) -> None:
        try:
            text = _text(record)
        except Exception as error:  # arguments that do not fit, or the `__str__` of an engine's object
            text = _text(replacement(record, error))
        self._log.add(level=record.levelname, logger=record.name, text=text)


@contextmanager
def captured(log: RunLog) -> Iterator[None]:
    """Add records of level INFO and above to the log, whatever the level of the worker's own log."""
    root, handler = logging.getLogger(), TaskLogHandler(log)
    level = root.level
    root.addHandler(handler)
    root.setLevel(min(level, logging.INFO))
    try:
        yield
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
        fit_level(root)  # which may have changed meanwhile


def _text(record: logging.LogRecord) -> str:
    fields = [f"{name}={plain(value)}" for name, value in fields_of(record) if name not in _OF_THE_SERVER]
    sentence = " ".join([record.getMessage(), *fields])
    error = record.exc_info[1] if record.exc_info else None
    return f"{sentence}: {summary(error)}" if error else sentence
