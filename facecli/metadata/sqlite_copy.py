"""A consistent copy of an SQLite database that may be in use."""

import sqlite3
from contextlib import closing
from pathlib import Path

from facecli.core.errors import DiskFull, StorageFailed

PAGES = 1000  # copied at once; writers wait no longer than for these


def copy_database(source: Path, target: Path) -> None:
    """Copy the committed state of one moment, by SQLite's backup API; an existing target is replaced."""
    target.unlink(missing_ok=True)
    try:
        with (
            closing(sqlite3.connect(f"file:{source}?mode=ro", uri=True, timeout=30)) as reader,
            closing(sqlite3.connect(target)) as writer,
        ):
            reader.backup(writer, pages=PAGES)
            writer.execute("PRAGMA journal_mode=DELETE")
            (found,) = writer.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.Error as error:
        if error.sqlite_errorcode == sqlite3.SQLITE_FULL:
            raise DiskFull(f"no room for a copy of {source}", retry_after=30) from error
        raise StorageFailed(f"{source} cannot be copied: {error}; check it with facecli fsck") from error
    if found != "ok":
        raise StorageFailed(f"{source} is damaged: {found}; check it with facecli fsck")
