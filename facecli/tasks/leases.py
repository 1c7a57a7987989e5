"""Leases of workers, kept by heartbeat.

Theory of operation. Every worker has a row with a counter, which each heartbeat increments. Observers read
all rows periodically; a worker whose counter has not changed for `MISSED_HEARTBEATS` checks has lost its
lease. Observers count checks instead of comparing clocks, because the clocks of machines differ, and no lease
must expire while the observer or the database is suspended. A heartbeat is a write, and a read-only database
stops the heartbeats of healthy workers; so a check counts only if the observer can write, too. A worker that
lost its lease in error is fenced off by the fencing token of its task.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

MISSED_HEARTBEATS = 3  # consecutive checks without a heartbeat after which a lease expires


@dataclass(frozen=True, slots=True, kw_only=True)
class Worker:
    """A worker process. `id` is new with every start; `name` and `data_dir_id` survive a restart."""

    id: str
    name: str
    data_dir_id: str
    pid: int
    engines: tuple[str, ...] = ()  # that it runs
    heartbeats: int = 0
    version: str = ""  # of facecli; unknown of workers before version 0026 of the schema


class WorkerRepository(Protocol):
    """Stores the living workers."""

    def heartbeat(self, worker: Worker) -> None:
        """Count one heartbeat; insert the worker if it is unknown."""
        ...

    def probe_writable(self) -> None:
        """Write like a heartbeat, but leave no trace; raises what a heartbeat would raise."""
        ...

    def listed(self) -> Sequence[Worker]: ...

    def forget(self, worker_id: str) -> None:
        """Delete a worker; harmless when it is unknown."""
        ...


class Leases:
    """Detects workers whose lease has expired."""

    def __init__(self, repository: WorkerRepository) -> None:
        self._repository = repository
        self._seen: dict[str, tuple[int, int]] = {}  # worker id → heartbeats, checks without a new one

    def expired(self) -> list[str]:
        """Check all workers once; return the ids of those that have lost their lease."""
        before, self._seen = self._seen, {}
        workers = self._repository.listed()
        if any(worker.id in before and before[worker.id][0] == worker.heartbeats for worker in workers):
            self._repository.probe_writable()
        for worker in workers:
            heartbeats, missed = before.get(worker.id, (-1, 0))
            self._seen[worker.id] = (worker.heartbeats, missed + 1 if heartbeats == worker.heartbeats else 0)
        return [worker_id for worker_id, (_, missed) in self._seen.items() if missed >= MISSED_HEARTBEATS]
