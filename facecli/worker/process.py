"""A worker's life: from its first look at the queue to the signal, or the end of its parent."""

import os
import signal
import sys
import threading
from collections.abc import Callable
from types import FrameType


def told_to_end(*, with_stdin: bool) -> threading.Event:
    """Set, from now on, by SIGTERM and SIGINT; `with_stdin` also when standard input ends.

    Call it before anybody is told that this process works, or an early signal ends it without a farewell.
    """
    ended = threading.Event()

    def stop(number: int, frame: FrameType | None) -> None:
        ended.set()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    if with_stdin:
        threading.Thread(target=_until_eof, args=(ended.set,), daemon=True).start()
    return ended


def end_now() -> None:
    """End without another word. Whatever ran is taken up again by its name; its ffmpeg ends with us."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def _until_eof(then: Callable[[], None]) -> None:
    while sys.stdin.buffer.read(1):
        pass
    then()
