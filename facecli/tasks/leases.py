"""Leases of workers, kept by heartbeat.

Theory of operation. A worker has a row, whose counter it increments with every heartbeat. An observer reads
all rows at intervals; a worker whose counter stood still for `MISSED_HEARTBEATS` checks has lost its lease.
Observers count checks and compare no clocks: clocks of machines differ, and while an observer or the database
is suspended no lease may expire. A heartbeat is a write, and a database that is only readable stops the
heartbeats of living workers; so a check counts against a worker only after the observer has written, too.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

MISSED_HEARTBEATS = 3  # consecutive checks without a heartbeat after which a lease expires


@dataclass(frozen=True, slots=True, kw_only=True)
class Worker:
    """A worker process. `id` is unique for ever; `name` and `data_dir_id` are the same after a restart."""

    id: str
    name: str
    data_dir_id: str
    pid: int
    heartbeats: int = 0


class WorkerRepository(Protocol):
    """Stores the living workers."""

    def heartbeat(self, worker: Worker) -> None:
        """Count one heartbeat; insert the worker if it is unknown."""
        ...

    def probe_writable(self) -> None:
        """Write as a heartbeat does, and leave no trace; raises what a heartbeat would raise."""
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
