"""Heartbeat of a worker, which keeps its lease, and its checks of the leases of other workers."""

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
    """Register the worker, then send heartbeats and check leases until the context ends.

    The worker may take work only within; no heartbeat is sent after it.
    """
    repository.heartbeat(worker)
    with (
        run_periodically(HEARTBEAT_INTERVAL, lambda: repository.heartbeat(worker)),
        run_periodically(CHECK_INTERVAL, check),
    ):
        yield
