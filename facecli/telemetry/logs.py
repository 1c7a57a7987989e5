"""Structured logs on stderr: a constant sentence and fields per record, one line each, as text or JSON.

A stack follows its record in a text log, in lines of its own that cannot pass for records.

Fields come from `extra`: `_log.info("task completed", extra={"task": task.id})`.
"""

import json
import logging
import re
import sys
import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime

from facecli.core.printable import escaped, shortened

_log = logging.getLogger(__name__)

STACK_PREFIX = "  | "  # of the lines of a stack in a text log; no record begins so

MAX_TEMPLATE = 100  # characters of a badly formatted record that are shown

_NOISY = ("dbos", "alembic", "sqlalchemy", "PIL", "boto3", "botocore", "s3transfer", "urllib3")
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime"}
_context = ContextVar[dict[str, object] | None]("fields", default=None)
_PLAIN = re.compile(r"[\w.:/@+-]+", re.ASCII)


def set_up_logging(*, level: str, format: str) -> None:
    """Set up logging, once per process; an exception that ends a thread is logged, too.

    Control characters are escaped, also those in a stack.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Json() if format == "json" else _Text())
    handler.setLevel(level.upper())  # the log of a task has a level of its own
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name in _NOISY:
        logging.getLogger(name).setLevel(logging.WARNING)
    threading.excepthook = _log_thread_exception
    # A record that cannot be formatted or written must not print a stack of `logging` among the records.
    logging.raiseExceptions = False


def set_log_level(level: str) -> None:
    """Change the minimum level of this process's log while it runs."""
    root = logging.getLogger()
    for handler in root.handlers:
        if isinstance(handler.formatter, _Formatter):
            handler.setLevel(level.upper())
    fit_level(root)


def fit_level(logger: logging.Logger) -> None:
    """Let through what one of its handlers wants; handlers without a level do not count."""
    if levels := [handler.level for handler in logger.handlers if handler.level]:
        logger.setLevel(min(levels))


@contextmanager
def with_fields() -> Iterator[None]:
    """Give every record of this thread the fields that `add_fields` names inside."""
    token = _context.set({})
    try:
        yield
    finally:
        _context.reset(token)


def add_fields(**fields: object) -> None:
    """Name fields for the rest of the innermost `with_fields`; nothing without one."""
    if (current := _context.get()) is not None:
        current.update(fields)


def _log_thread_exception(args: threading.ExceptHookArgs) -> None:
    if args.exc_value is not None and not isinstance(args.exc_value, SystemExit):
        name = args.thread.name if args.thread else "unknown"
        _log.error("unhandled exception ended a thread", extra={"thread_name": name}, exc_info=args.exc_value)


class _Formatter(logging.Formatter, ABC):
    """Formats any record; one that cannot be formatted is replaced by one that names the log call."""

    def format(self, record: logging.LogRecord) -> str:
        try:
            return self._format(record)
        except Exception as error:  # arguments that do not fit, or the `__str__` of an engine's object
            return self._format(replacement(record, error))

    @abstractmethod
    def _format(self, record: logging.LogRecord) -> str: ...


class _Text(_Formatter):
    def _format(self, record: logging.LogRecord) -> str:
        text = " ".join(
            [record.getMessage(), *(f"{name}={plain(value)}" for name, value in fields_of(record))]
        )
        line = f"{_time(record)} {record.levelname.lower():7} {record.name} {escaped(text)}"
        stack = self.formatException(record.exc_info).split("\n") if record.exc_info else []
        return "\n".join([line, *(f"{STACK_PREFIX}{escaped(one)}" for one in stack)])


class _Json(_Formatter):
    def _format(self, record: logging.LogRecord) -> str:
        entry = {
            "time": _time(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **dict(fields_of(record)),
        }
        if record.exc_info:
            entry["exception"] = self.formatException(record.exc_info)
        return json.dumps(entry, default=str)


def replacement(record: logging.LogRecord, error: Exception) -> logging.LogRecord:
    """A record of the same logger, with the same exception, that says where a log call is badly formatted."""
    template = f" {shortened(record.msg, MAX_TEMPLATE)!r}" if isinstance(record.msg, str) else ""
    place = f"{record.filename}:{record.lineno}"
    text = f"badly formatted log call at {place}:{template} raises {type(error).__name__}"
    kept = ("name", "levelno", "levelname", "created", "exc_info")
    return logging.makeLogRecord({**{name: getattr(record, name) for name in kept}, "msg": text})


def plain(value: object) -> str:
    """Format a value as one word: quoted unless it is plain, so that it cannot pass for more fields."""
    text = str(value)
    return text if _PLAIN.fullmatch(text) else json.dumps(text)


def fields_of(record: logging.LogRecord) -> Iterator[tuple[str, object]]:
    """The fields passed as `extra`, in order, and those of the thread that logs."""
    own = {name: value for name, value in vars(record).items() if name not in _STANDARD}
    yield from own.items()
    yield from ((name, value) for name, value in (_context.get() or {}).items() if name not in own)


def _time(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
