"""Who works: a row for every living worker, and who finds that one stopped living."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

MISSED_HEARTBEATS = 3  # that a worker may let pass without a beat


@dataclass(frozen=True, slots=True, kw_only=True)
class Worker:
    """One process. `id` is nobody else's, ever; `name` and `place`, a directory of a machine, come back."""

    id: str
    name: str
    data_dir_id: str
    pid: int
    heartbeats: int = 0  # how often it said that it lives


class WorkerRepository(Protocol):
    """Where workers are remembered."""

    def heartbeat(self, worker: Worker) -> None:
        """One beat more; a worker that is not known, or was forgotten, is entered."""
        ...

    def probe_writable(self) -> None:
        """All that a beat needs of the database, and nothing stays of it; raises what a beat would."""
        ...

    def listed(self) -> Sequence[Worker]: ...

    def forget(self, worker_id: str) -> None:
        """Harmless when it is not known."""
        ...


class Leases:
    """Tells which workers stopped, by looking at their beats again and again.

    It counts looks and compares no clocks: those of other machines differ, and while this process or the
    database stands still nobody's time runs out. For a beat is a write, and a database that only lets itself
    be read stands still for those who live: so a look counts against somebody only after a write.
    """

    def __init__(self, repository: WorkerRepository) -> None:
        self._repository = repository
        self._seen: dict[str, tuple[int, int]] = {}

    def expired(self) -> list[str]:
        """Look once; the ids of those that made no beat in the last `MISSED_HEARTBEATS` looks."""
        before, self._seen = self._seen, {}
        listed = self._repository.listed()
        if any(worker.id in before and before[worker.id][0] == worker.heartbeats for worker in listed):
            self._repository.probe_writable()
        for worker in listed:
            beat, looks = before.get(worker.id, (-1, 0))
            self._seen[worker.id] = (worker.heartbeats, looks + 1 if beat == worker.heartbeats else 0)
        return [worker_id for worker_id, (_, looks) in self._seen.items() if looks >= MISSED_HEARTBEATS]
