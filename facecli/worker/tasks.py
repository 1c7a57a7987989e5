"""Runs what the queue hands over; the outermost loop of a worker."""

import logging
import threading
import uuid
from collections.abc import Callable
from functools import partial

from facecli.core.errors import DiskFull, Unavailable
from facecli.core.swapping import Swapping

_log = logging.getLogger(__name__)

LONGEST_PAUSE = 5.0  # seconds between two tries


def task_runner(swapping: Swapping, stopping: threading.Event) -> Callable[[str], None]:
    """What the queue calls with a task's id. It never raises: the row alone says how a task ended."""

    def run(task_id: str) -> None:
        work: Callable[[], None] = partial(swapping.run, task_id)
        pause = 0.1
        while not stopping.is_set():
            try:
                work()
                return
            except (Unavailable, DiskFull) as error:
                _log.warning("task %s waits %.1f s: %s", task_id, pause, error)
            except Exception:
                error_id = uuid.uuid4().hex[:12]
                _log.exception("task %s met internal error %s", task_id, error_id)
                work = partial(swapping.give_up, task_id, error_id)
            stopping.wait(pause)
            pause = min(LONGEST_PAUSE, pause * 2)

    return run
