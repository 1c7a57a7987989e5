"""Does something again and again, beside what a process is there for."""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from facecli.core.errors import FacecliError

_log = logging.getLogger(__name__)


@contextmanager
def run_periodically(seconds: float, work: Callable[[], object]) -> Iterator[None]:
    """Run `work` every so many seconds until leaving; what fails is logged and tried the next time.

    A bug too: a server that never expires an upload again, or a worker that does not beat any more, is worse.
    """
    ended = threading.Event()

    def loop() -> None:
        while not ended.wait(seconds):
            try:
                work()
            except (FacecliError, OSError) as error:
                _log.warning("housekeeping: %s", error)
            except Exception:
                _log.exception("housekeeping met a bug, and goes on")

    thread = threading.Thread(target=loop, name="housekeeping", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
