"""Processes suspended (SIGSTOP) at a chosen moment: within a write to an SQLite file, or outside of all."""

import os
import signal
import sqlite3
from contextlib import closing
from pathlib import Path

from tests.support.e2e.strace import Strace
from tests.support.eventually import eventually


def suspend_in_commit(pid: int, file: Path) -> None:
    """Suspend a process at the next flush of a commit, when it has the write lock of the SQLite file."""
    log = file.with_name(f"{file.name}-wal")
    with Strace(pid, "fdatasync", inject="signal=STOP", path=log) as strace:
        eventually(lambda: any("stopped by SIGSTOP" in line for line in strace.lines))
    assert _is_locked(file)


def suspend_outside_transactions(pid: int, data_dir: Path) -> None:
    """Suspend a worker while it locks no SQLite file; a worker that does is killed after a while."""

    def suspended() -> bool:
        os.kill(pid, signal.SIGSTOP)
        eventually(lambda: _is_stopped(pid))
        if not any(map(_is_locked, data_dir.glob("*.db"))):
            return True
        os.kill(pid, signal.SIGCONT)
        return False

    eventually(suspended)


def _is_stopped(pid: int) -> bool:
    return all(
        (task / "stat").read_text().rpartition(")")[2].split()[0] == "T"
        for task in Path(f"/proc/{pid}/task").iterdir()
    )


def _is_locked(file: Path) -> bool:
    """Whether another process holds the write lock of an SQLite database for longer than a write takes."""
    with closing(sqlite3.connect(file, timeout=0.5, isolation_level=None)) as connection:
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            return True
    return False
