"""The log of a task, for its owner: what the engine and facecli logged while a worker ran it."""

from collections.abc import Sequence
from dataclasses import dataclass

MAX_RECORDS = 200  # of one task, over all its attempts; the newest are kept
MAX_TEXT = 2000  # characters of a record
MAX_LOGGER = 100  # characters of the name of a logger
MAX_LEVEL = 16  # characters


@dataclass(frozen=True, slots=True, kw_only=True)
class LogEntry:
    """A record that is not stored yet: printable text on one line, without paths and secrets."""

    time: float  # seconds since 1970
    level: str  # as `warning`
    logger: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskLogRecord(LogEntry):
    """A stored record, with the round and the attempt in which it was stored."""

    round: int
    attempt: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskLog:
    """The stored records of a task, oldest first, and how many older ones were dropped."""

    records: Sequence[TaskLogRecord]
    dropped: int
