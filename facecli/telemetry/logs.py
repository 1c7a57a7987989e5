"""Logs on stderr, one line each, as text or JSON."""

import json
import logging
import sys
import threading
from datetime import UTC, datetime

from facecli.core.printable import escaped

_log = logging.getLogger(__name__)

_NOISY = ("dbos", "alembic", "sqlalchemy", "PIL")


def set_up_logging(*, level: str, format: str) -> None:
    """Call once a process. Control characters are escaped, those between the lines of a stack too.

    What ends a thread is logged like everything else.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Json() if format == "json" else _Text())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name in _NOISY:
        logging.getLogger(name).setLevel(logging.WARNING)
    threading.excepthook = _log_end


def _log_end(ended: threading.ExceptHookArgs) -> None:
    if ended.exc_value is not None and not isinstance(ended.exc_value, SystemExit):
        name = ended.thread.name if ended.thread else "that is gone"
        _log.error("a bug ended thread %s", name, exc_info=ended.exc_value)


class _Text(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        said = record.getMessage()
        if record.exc_info:
            said += "\n" + self.formatException(record.exc_info)
        return f"{_time(record)} {record.levelname.lower():7} {record.name} {escaped(said)}"


class _Json(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        entry = {
            "time": _time(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            entry["exception"] = self.formatException(record.exc_info)
        return json.dumps(entry)


def _time(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
