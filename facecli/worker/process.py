"""A worker's life: from its first look at the queue to the signal, or the end of its parent."""

import os
import signal
import sys
import threading
from collections.abc import Callable
from types import FrameType


def wait_for_end(*, with_stdin: bool) -> None:
    """Return on SIGTERM or SIGINT; `with_stdin` also when standard input ends, as the parent is gone then."""
    ended = threading.Event()

    def stop(number: int, frame: FrameType | None) -> None:
        ended.set()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    if with_stdin:
        threading.Thread(target=_until_eof, args=(ended.set,), daemon=True).start()
    ended.wait()


def end_now() -> None:
    """End without another word. Whatever ran is taken up again by its name; its ffmpeg ends with us."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def _until_eof(then: Callable[[], None]) -> None:
    while sys.stdin.buffer.read(1):
        pass
    then()
