"""One way of a connection: bytes wait in a ring until their time has come."""

import mmap
import socket
import sys
import time
from collections import deque
from collections.abc import Callable

from facecli.chaos.events import Direction, Record

BLOCK = 256 * 1024  # bytes received at once
FASTEST = 10**9  # bytes per second that a delay alone lets through
LARGEST = 64 * 1024**2  # bytes under way in one direction of one connection
QUEUE = 0.04  # seconds' worth of a rate that may wait for their turn in the ring
AHEAD = 0.01  # and in the kernel before it
SMALLEST = 4096  # bytes of the ring
KERNEL = 128 * 1024  # bytes that the kernel receives ahead at least; with less it waits for acknowledgements
STEP = 0.002  # seconds' worth of a rate that leave together
CATCH_UP = 0.05  # seconds that a late wake-up may make up for


class Flow:
    """Moves bytes from one socket to another, neither of which may block; the first `limit` bytes only.

    A byte leaves `delay` seconds after it came, not before those ahead of it have left at `rate` bytes per
    second. What does not fit stays with its sender.
    """

    def __init__(
        self,
        toward: Direction,
        source: socket.socket,
        target: socket.socket,
        *,
        record: Record,
        delay: float,
        rate: int | None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.limit = sys.maxsize
        self.passed = 0
        self.blocked = False  # the target takes no more just now
        self.held = False  # the record lets no more pass
        self.ended = False  # the source says nothing more
        self.done = False  # the target has been told, or is gone
        self.reset = False  # the source ended with a reset
        self.wake_at: float | None = None  # when there is more to do without anything arriving
        self._toward = toward
        self._source = source
        self._target = target
        self._record = record
        self._delay = delay
        self._rate = rate
        self._clock = clock
        if rate:
            ahead = min(LARGEST, max(KERNEL, int(rate * AHEAD)))
            source.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, ahead)
        self._ring = memoryview(mmap.mmap(-1, _capacity(delay, rate)))  # takes memory where it is used
        self._first = 0  # where in the ring the bytes begin
        self._waiting = 0  # how many there are
        self._ripe = 0  # of which so many may leave
        self._times: deque[tuple[float, int]] = deque()  # when so many more may
        self._end_at = 0.0
        self._free_at = 0.0  # when the last byte that left has passed the line at its rate

    @property
    def waiting(self) -> int:
        return self._waiting

    @property
    def wants_more(self) -> bool:
        return not (self.ended or self.done) and self._waiting < len(self._ring)

    def receive(self) -> None:
        """Take what has arrived, as far as there is room."""
        if not self.wants_more:
            return
        if not self._waiting:
            self._first = 0
        begin = (self._first + self._waiting) % len(self._ring)
        end = min(begin + min(BLOCK, len(self._ring) - self._waiting), len(self._ring))
        try:
            count = self._source.recv_into(self._ring[begin:end])
        except BlockingIOError:
            return
        except OSError:
            count, self.reset = 0, True
        due = self._clock() + self._delay
        if count:
            self._waiting += count
            self._times.append((due, count))
        else:
            self.ended, self._end_at = True, due

    def send(self) -> None:
        """Pass on what may leave now, and at the very end the end."""
        self.wake_at = None
        self.blocked = self.held = False
        while not self.done and self.passed < self.limit and (count := self._leaving()):
            taken = self._record.take(self._toward, min(count, self.limit - self.passed))
            sent = self._push(taken)
            self._record.settle(self._toward, taken=taken, passed=sent)
            self.held = not taken
            self.blocked = sent < taken
            if self.held or self.blocked:
                return
        if self.ended and not self._waiting and not self.done:
            self._pass_the_end()

    def flip(self, bit: int) -> None:
        """Of the byte that leaves next."""
        self._ring[self._first] ^= 1 << bit

    def _leaving(self) -> int:
        """How many bytes may leave now, in one piece."""
        now = self._clock()
        while self._times and self._times[0][0] <= now:
            due, count = self._times.popleft()
            if not self._ripe:
                self._free_at = max(self._free_at, due)
            self._ripe += count
        count = min(self._ripe, len(self._ring) - self._first)
        if not count:
            self.wake_at = self._times[0][0] if self._times else None
        elif self._rate:
            self._free_at = max(self._free_at, now - CATCH_UP)
            step = min(count, max(64, round(self._rate * STEP)))
            allowed = round((now - self._free_at) * self._rate)
            if allowed < step:
                self.wake_at = self._free_at + step / self._rate
                return 0
            count = min(count, allowed)
        return count

    def _push(self, count: int) -> int:
        """Into the target; how many it took."""
        if not count:
            return 0
        try:
            sent = self._target.send(self._ring[self._first : self._first + count])
        except BlockingIOError:
            return 0
        except OSError:
            self.done = True
            return 0
        self.passed += sent
        self._first = (self._first + sent) % len(self._ring)
        self._waiting -= sent
        self._ripe -= sent
        if self._rate:
            self._free_at += sent / self._rate
        return sent

    def _pass_the_end(self) -> None:
        if self._clock() < self._end_at:
            self.wake_at = self._end_at
            return
        self.done = True
        if not self.reset:
            shut(self._target, socket.SHUT_WR)


def shut(end: socket.socket, how: int) -> None:
    """Say that nothing more comes, or is read; who is gone need not be told."""
    try:
        end.shutdown(how)
    except OSError:
        return


def _capacity(delay: float, rate: int | None) -> int:
    if rate:
        return min(LARGEST, max(SMALLEST, int(rate * (delay + QUEUE))))
    return min(LARGEST, BLOCK + int(delay * FASTEST))
