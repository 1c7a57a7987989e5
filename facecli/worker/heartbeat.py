"""What a worker does beside its task: says that it lives, and looks whether the others do."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from facecli.core.periodic import every
from facecli.tasks.leases import Worker, WorkerRows

BEAT_EVERY = 1.0  # seconds
LOOK_EVERY = 1.0  # seconds; after a few of them without a beat a worker is dead


@contextmanager
def beating(worker: Worker, *, rows: WorkerRows, look: Callable[[], object]) -> Iterator[None]:
    """Enter the worker, before it takes work, then beat and look until leaving: no beat comes after that."""
    rows.beat(worker)
    with every(BEAT_EVERY, lambda: rows.beat(worker)), every(LOOK_EVERY, look):
        yield
