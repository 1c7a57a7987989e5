"""Heartbeat of a worker, and its checks of the other workers' leases."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from facecli.core.periodic import run_periodically
from facecli.tasks.leases import Worker, WorkerRepository

HEARTBEAT_INTERVAL = 1.0  # seconds
CHECK_INTERVAL = 1.0  # seconds between two checks of leases


@contextmanager
def send_heartbeats(
    worker: Worker, *, repository: WorkerRepository, check: Callable[[], object]
) -> Iterator[None]:
    """Register the worker, which then may take work; send heartbeats and check leases until leaving.

    No heartbeat is sent after that.
    """
    repository.heartbeat(worker)
    with (
        run_periodically(HEARTBEAT_INTERVAL, lambda: repository.heartbeat(worker)),
        run_periodically(CHECK_INTERVAL, check),
    ):
        yield
