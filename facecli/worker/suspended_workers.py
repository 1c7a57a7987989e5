"""SuspendedWorkers: ends stand-alone workers that are suspended while they hold the write lock of SQLite.

The supervisor ends a suspended worker of its own. One that was started by hand, and suspended by Ctrl-Z at
the wrong moment, would keep every process on this machine from writing until it continues.
"""

import logging
import os
import signal
from collections import Counter
from collections.abc import Callable, Collection
from contextlib import suppress
from pathlib import Path

from facecli.tasks.leases import MISSED_HEARTBEATS, WorkerRepository

_log = logging.getLogger(__name__)


class SuspendedWorkers:
    """Checks the `lock_holders`, process ids; kills those that are workers of this data directory."""

    def __init__(
        self, workers: WorkerRepository, *, data_dir_id: str, lock_holders: Callable[[], Collection[int]]
    ) -> None:
        self._workers = workers
        self._data_dir_id = data_dir_id
        self._lock_holders = lock_holders
        self._seen = Counter[int]()  # consecutive checks in which a process was suspended with a lock

    def check(self) -> None:
        """To be called periodically; kills a process that was found so for as long as a lease lasts."""
        suspended = [pid for pid in self._lock_holders() if _is_suspended(pid)]
        self._seen = Counter({pid: self._seen[pid] + 1 for pid in suspended})
        for pid in suspended:
            if self._seen[pid] == MISSED_HEARTBEATS:
                self._end(pid)

    def _end(self, pid: int) -> None:
        for worker in self._workers.listed():
            if (worker.pid, worker.data_dir_id) == (pid, self._data_dir_id):
                fields = {"worker": worker.id, "pid": pid}
                _log.warning("worker is suspended and locks the database; killed", extra=fields)
                with suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, signal.SIGKILL)
                return
        _log.warning("suspended process locks the database; continue or end it", extra={"pid": pid})


def _is_suspended(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"
    except OSError:
        return False
