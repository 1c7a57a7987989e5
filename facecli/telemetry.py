"""Logs on stderr, one line each, as text or JSON."""

import json
import logging
import sys
from datetime import UTC, datetime

from facecli.core.printable import escaped

_NOISY = ("dbos", "alembic", "sqlalchemy", "PIL")


def set_up_logging(*, level: str, format: str) -> None:
    """Call once a process. Control characters are escaped, those between the lines of a stack too."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Json() if format == "json" else _Text())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name in _NOISY:
        logging.getLogger(name).setLevel(logging.WARNING)


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
