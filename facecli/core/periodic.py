"""Periodic jobs in background threads."""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from facecli.core.errors import FacecliError

THREAD_NAME = "periodic"
END_SECONDS = 5.0  # for which leaving waits; a bucket that does not answer takes longer

_log = logging.getLogger(__name__)


@contextmanager
def run_periodically(interval: float, job: Callable[[], object]) -> Iterator[None]:
    """Run `job` every `interval` seconds until leaving, which waits for it for a short time only.

    A failure is logged, and the job runs again.

    Bugs are treated alike: a server that stops expiring uploads, or a worker without heartbeats, is worse.
    """
    stopping = threading.Event()
    fields = {"job": getattr(job, "__qualname__", repr(job))}

    def loop() -> None:
        while not stopping.wait(interval):
            try:
                job()
            except (FacecliError, OSError) as error:
                _log.warning("periodic job failed; will run again", extra={**fields, "error": str(error)})
            except Exception:
                _log.exception("periodic job failed; will run again", extra=fields)

    thread = threading.Thread(target=loop, name=THREAD_NAME, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stopping.set()
        thread.join(END_SECONDS)
        if thread.is_alive():
            _log.warning("periodic job still runs at the end", extra=fields)
