"""Does something again and again, beside the calls."""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from facecli.core.errors import FacecliError

_log = logging.getLogger(__name__)


@contextmanager
def every(seconds: float, work: Callable[[], object]) -> Iterator[None]:
    """Run `work` every so many seconds until leaving; what fails is logged and tried the next time."""
    ended = threading.Event()

    def loop() -> None:
        while not ended.wait(seconds):
            try:
                work()
            except (FacecliError, OSError) as error:
                _log.warning("housekeeping: %s", error)

    thread = threading.Thread(target=loop, name="housekeeping", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
