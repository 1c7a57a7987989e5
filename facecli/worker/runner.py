"""Runs what the queue hands over; the outermost loop of a worker."""

import logging
import threading
import uuid
from collections.abc import Callable
from functools import partial

from facecli.core.errors import DiskFull, Unavailable
from facecli.tasks.claims import Claim
from facecli.tasks.workflow import TaskWorkflow

_log = logging.getLogger(__name__)

LONGEST_PAUSE = 5.0  # seconds between two tries


def task_runner(swapping: TaskWorkflow, *, worker: str, stopping: threading.Event) -> Callable[[str], None]:
    """What the queue calls with a task's id. It never raises: the row alone says how a task ended.

    Once the worker is `stopping` it does not return either: the queue would take for done what is given back.
    """

    def run(task_id: str) -> None:
        claim = Claim(worker=worker)
        work: Callable[[], None] = partial(swapping.run, task_id, claim)
        pause = 0.1
        while True:
            try:
                work()
                break
            except (Unavailable, DiskFull) as error:
                _log.warning("task %s waits %.1f s: %s", task_id, pause, error)
            except Exception:
                error_id = uuid.uuid4().hex[:12]
                _log.exception("task %s met internal error %s", task_id, error_id)
                work = partial(swapping.give_up, task_id, claim, error_id)
            if stopping.wait(pause):
                break
            pause = min(LONGEST_PAUSE, pause * 2)
        if stopping.is_set():
            threading.Event().wait()

    return run
