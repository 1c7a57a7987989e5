"""The heartbeat of a worker, and its end."""

import threading
from collections.abc import Sequence

import pytest

from facecli.tasks.leases import Worker
from facecli.worker.heartbeat import send_heartbeats

WORKER = Worker(id="one-1", name="one", data_dir_id="here", pid=1)


class BlockingWorkers:
    """Workers in memory; the second heartbeat sets `second` and waits for `go`."""

    def __init__(self) -> None:
        self.workers: dict[str, int] = {}
        self.second, self.go = threading.Event(), threading.Event()

    def heartbeat(self, worker: Worker) -> None:
        if worker.id in self.workers:
            self.second.set()
            self.go.wait(60)
        self.workers[worker.id] = self.workers.get(worker.id, 0) + 1

    def probe_writable(self) -> None: ...

    def listed(self) -> Sequence[Worker]:
        return ()

    def forget(self, worker_id: str) -> None:
        del self.workers[worker_id]


@pytest.mark.slow
def test_a_worker_registers_at_once_and_sends_no_heartbeat_after_the_end() -> None:
    repository = BlockingWorkers()
    with send_heartbeats(WORKER, repository=repository, check=lambda: None):
        assert repository.workers == {WORKER.id: 1}
        assert repository.second.wait(60)
        threading.Timer(0.1, repository.go.set).start()
    assert repository.workers == {WORKER.id: 2}
    repository.forget(WORKER.id)
    assert repository.workers == {}
