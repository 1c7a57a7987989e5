"""Peak memory of the processes that a test starts, directly or by others."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.support.e2e.proc import peak_memory_bytes

INTERVAL = 0.01  # seconds


class PeakMemory:
    """The most memory that any new descendant of a process had resident.

    The kernel's own figure for the children of a process does not do: a child counts the memory of its parent
    until it starts its program, and the children of a worker are not included.
    """

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._program = _program(pid)
        self._earlier = set(_descendants(pid))
        self._ended = threading.Event()
        self.bytes = 0

    def sample(self) -> None:
        for pid in set(_descendants(self._pid)) - self._earlier:
            with suppress(OSError, IndexError):  # it has just ended
                if _program(pid) != self._program:
                    self.bytes = max(self.bytes, peak_memory_bytes(pid))

    @contextmanager
    def sampled(self) -> Iterator[None]:
        """Sample all the time."""
        thread = threading.Thread(target=self._run)
        thread.start()
        try:
            yield
        finally:
            self._ended.set()
            thread.join()

    def _run(self) -> None:
        while not self._ended.wait(INTERVAL):
            self.sample()


def _descendants(pid: int) -> Iterator[int]:
    with suppress(OSError):
        for children in Path(f"/proc/{pid}/task").glob("*/children"):
            for child in map(int, children.read_text().split()):
                yield child
                yield from _descendants(child)


def _program(pid: int) -> bytes:
    return Path(f"/proc/{pid}/cmdline").read_bytes()
