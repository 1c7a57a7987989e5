"""What a worker does beside its task: says that it lives, and looks whether the others do."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from facecli.core.periodic import run_periodically
from facecli.tasks.leases import Worker, WorkerRepository

BEAT_EVERY = 1.0  # seconds
LOOK_EVERY = 1.0  # seconds; after a few of them without a beat a worker is dead


@contextmanager
def beating(worker: Worker, *, repository: WorkerRepository, look: Callable[[], object]) -> Iterator[None]:
    """Enter the worker, before it takes work, then beat and look until leaving: no beat comes after that."""
    repository.heartbeat(worker)
    with (
        run_periodically(BEAT_EVERY, lambda: repository.heartbeat(worker)),
        run_periodically(LOOK_EVERY, look),
    ):
        yield
