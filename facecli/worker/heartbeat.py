"""What a worker does beside its task: says that it lives, and looks whether the others do."""

import logging
import threading
from collections.abc import Callable

from facecli.core.recovery import Recovery
from facecli.core.workers import Worker, WorkerRows

BEAT_EVERY = 1.0  # seconds
LOOK_EVERY = 1.0  # seconds; after a few of them without a beat a worker is dead

_log = logging.getLogger(__name__)


def keep_beating(worker: Worker, *, rows: WorkerRows, recovery: Recovery) -> None:
    """Enter the worker, before it takes work, then do both, each in a thread, until the process ends."""
    rows.beat(worker)
    _keep(BEAT_EVERY, lambda: rows.beat(worker))
    _keep(LOOK_EVERY, recovery.look)


def _keep(seconds: float, work: Callable[[], object]) -> None:
    pause = threading.Event()

    def repeat() -> None:
        while not pause.wait(seconds):
            try:
                work()
            except Exception as error:
                _log.warning("%s", error)

    threading.Thread(target=repeat, daemon=True).start()
