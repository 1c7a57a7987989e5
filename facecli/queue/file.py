"""The SQLite file of the queue: its integrity check, and its removal, after which the server rebuilds it.

The file holds nothing of its own: `Recovery.requeue_stranded` enqueues every pending task that it lacks.
"""

import sqlite3
from contextlib import closing
from pathlib import Path

from facecli.core.errors import StorageFailed

REMEDY = "facecli fsck --repair rebuilds it from the tasks"
_TABLES = frozenset({"dbos_migrations", "workflow_status"})
_DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})


def queue_problems(file: Path) -> list[str]:
    """Defects of the file, as SQLite reports them; none for a file that is missing or has no tables yet."""
    if not file.exists():
        return []
    try:
        with closing(sqlite3.connect(file, isolation_level=None)) as connection:
            names = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
            messages = [message for (message,) in connection.execute("PRAGMA integrity_check")]
    except sqlite3.DatabaseError as error:
        if error.sqlite_errorcode & 0xFF not in _DAMAGED:
            raise
        return [str(error)]
    missing = sorted(_TABLES - names) if names else []
    return [*(f"it has no table {name}" for name in missing), *(each for each in messages if each != "ok")]


def check_queue(file: Path) -> None:
    """Raise StorageFailed if the file is damaged, with the remedy."""
    if problems := queue_problems(file):
        raise StorageFailed(f"{file} is damaged ({problems[0]}); {REMEDY}")


def remove_queue(file: Path) -> None:
    """Delete the file with its log; no process may use it."""
    for suffix in ("-wal", "-shm", ""):
        file.with_name(f"{file.name}{suffix}").unlink(missing_ok=True)
